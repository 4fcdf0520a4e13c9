//! Edits by a model: applied whole or not at all, run, and mended from what the program said.

use crate::model_server::{KEY, ModelServer, Said};
use crate::space::Space;

fn piece(search: &str, replace: &str) -> Said {
    Said::Text(format!(
        "Like this:\n\n```python experiment.py\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n```\n"
    ))
}

fn space(server: &ModelServer) -> Space {
    let mut space = Space::new();
    space.copy("examples", "examples");
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", KEY);
    space
}

fn said(server: &ModelServer, number: usize) -> String {
    let body = &server.bodies()[number];
    let turns = body["messages"].as_array().unwrap();
    turns.last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_model_edits_a_program_until_it_runs_and_is_told_what_did_not_fit() {
    let line = "    value -= RATE * (value * value - 2.0) / (2.0 * valeu)";
    let server = ModelServer::with(move |_, number| match number {
        // There is no such line: nothing is applied, and the model is told the nearest.
        0 => piece("RATE = 0.2", "RATE = 0.5"),
        1 => piece("RATE = 0.1", "RATE = 0.5"),
        2 => piece(line, &line.replace("valeu", "value")),
        _ => piece("RATE = 0.5", "import json\n\nRATE = 0.5"),
    });
    let space = space(&server);
    let done = space.run("examples/mend.yaml", &["--out", "out"]);
    assert_eq!(server.bodies().len(), 4);
    assert!(
        said(&server, 1).contains("The nearest that it has:\nRATE = 0.1"),
        "{}",
        said(&server, 1)
    );
    assert!(
        said(&server, 2).contains("name 'valeu' is not defined"),
        "{}",
        said(&server, 2)
    );
    assert!(
        said(&server, 3).contains("name 'json' is not defined"),
        "{}",
        said(&server, 3)
    );
    let program = space.read("out/workspace/experiment.py");
    assert!(
        program.contains("RATE = 0.5") && !program.contains("valeu"),
        "{program}"
    );
    let diff = space.read("out/last_edit");
    assert!(
        diff.contains("+import json") && diff.contains("a/experiment.py"),
        "{diff}"
    );
    assert_eq!(done.count("ran")["llm/edit"], 3, "attempts are nodes");
    space.run("examples/mend.yaml", &[]);
    assert_eq!(server.bodies().len(), 4, "nothing is asked again");
}

#[test]
fn a_model_that_cannot_mend_it_is_given_up_and_the_protected_lines_stay() {
    let server = ModelServer::with(|_, _| piece("LIMIT = 5", "LIMIT = 500"));
    let space = space(&server);
    space.write(
        "examples/broken/experiment.py",
        "# kyo:protect\nLIMIT = 5\n# kyo:end\nraise SystemExit(LIMIT)\n",
    );
    let done = space.kyo(&["run", "examples/mend.yaml", "--out", "out"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(
        done.stderr.contains("must stay as they are"),
        "{}",
        done.stderr
    );
    assert_eq!(server.bodies().len(), 3, "asked, and told twice");
}
