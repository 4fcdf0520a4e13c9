//! `llm/chat`: a prompt file, a model, and outputs that the pipeline declares.

use serde_json::json;

use crate::model_server::{ModelServer, Said};
use crate::space::Space;

const JUDGE: &str = r#"
kyobashi: 1
name: judge
types:
  Verdict: {decision: {type: str, choices: [accept, reject]}, score: {type: int, min: 1, max: 10}, quote: str?}
models: {judge: openai/gpt-4o-mini}
params: {words: 12}
stages:
  paper:
    run: echo "All is well." > "$text"
    out: {text: text}
  judge:
    uses: llm/chat
    model: ${models.judge}
    in: {paper: "${paper.text}", words: "${params.words}"}
    with: {prompt: prompts/judge.md}
    out: {verdict: Verdict}
  row:
    uses: llm/chat
    model: ${models.judge}
    in: {verdict: "${judge.verdict}"}
    with: {prompt: prompts/row.md}
    out: {line: str}
outputs: {verdict: "${judge.verdict}", line: "${row.line}", score: "${judge.verdict.score}"}
"#;

const PROMPT: &str = "Judge in {{ words }} words:\n{{ paper }}";
const ROW: &str = "One line on {{ verdict.decision }}.";
const GOOD: &str = r#"Well. {"decision": "accept", "score": 7, "quote": null}"#;

fn space(server: &ModelServer, yaml: &str) -> Space {
    let mut space = Space::new();
    space
        .write("judge.yaml", yaml)
        .write("prompts/judge.md", PROMPT)
        .write("prompts/row.md", ROW);
    space
        .set("OPENAI_BASE_URL", &server.url())
        .set("OPENAI_API_KEY", crate::model_server::KEY);
    space
}

fn prompt_of(body: &serde_json::Value) -> &str {
    body["messages"][0]["content"].as_str().unwrap()
}

#[test]
fn a_prompt_file_is_filled_and_its_reply_becomes_typed_outputs() {
    let server = ModelServer::with(|body, _| {
        let judge = prompt_of(body).starts_with("Judge");
        Said::Text(if judge { GOOD } else { " Accepted. \n" }.to_owned())
    });
    let space = space(&server, JUDGE);
    space.run("judge.yaml", &["--out", "out"]);
    assert_eq!(space.read("out/line").trim(), "Accepted.");
    assert_eq!(space.read("out/score").trim(), "7");
    let bodies = server.bodies();
    let (judge, row) = (&bodies[0], &bodies[1]);
    assert!(prompt_of(judge).starts_with("Judge in 12 words:\nAll is well."));
    assert_eq!(prompt_of(row), "One line on accept.");
    let format = &judge["response_format"]["json_schema"];
    assert_eq!(
        (&format["name"], &format["strict"]),
        (&json!("verdict"), &json!(true))
    );
    assert_eq!(
        format["schema"]["required"],
        json!(["decision", "quote", "score"])
    );
    assert_eq!(row.get("response_format"), None, "a text needs no schema");

    // An edit of the prompt asks anew; so does one of the type, which says what is wanted.
    assert_eq!(space.run("judge.yaml", &[]).ended("ran"), [""; 0]);
    space.write("prompts/row.md", "In one line: {{ verdict.decision }}.");
    assert_eq!(space.run("judge.yaml", &[]).ended("ran"), ["row"]);
    space.write("judge.yaml", &JUDGE.replace("max: 10", "max: 20"));
    assert_eq!(space.run("judge.yaml", &[]).ended("ran"), ["judge"]);
}

#[test]
fn a_reply_of_the_wrong_form_is_asked_again_once_with_what_is_wrong() {
    let server = ModelServer::with(|_, number| {
        let wrong = r#"{"decision": "maybe", "score": 7}"#;
        Said::Text(if number == 0 { wrong } else { GOOD }.to_owned())
    });
    let space = space(&server, JUDGE);
    space.run("judge.yaml", &[]);
    let again = &server.bodies()[1]["messages"];
    assert_eq!(again[1]["role"], "assistant");
    let told = again[2]["content"].as_str().unwrap();
    assert!(
        told.contains("verdict.decision") && told.contains("\"accept\""),
        "{told}"
    );

    let stubborn = ModelServer::start("No JSON today.");
    let space = self::space(&stubborn, JUDGE);
    let done = space.kyo(&["run", "judge.yaml"]);
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.contains("no valid reply in 2 tries"),
        "{}",
        done.stderr
    );
    assert_eq!(stubborn.bodies().len(), 2);
}

#[test]
fn a_reply_that_was_cut_off_is_refused_and_a_longer_one_is_another_call() {
    let server = ModelServer::with(|body, _| match body["max_completion_tokens"].as_u64() {
        Some(64) => Said::Cut(GOOD.to_owned()),
        _ => Said::Text(GOOD.to_owned()),
    });
    let short = JUDGE.replace("prompts/judge.md}", "prompts/judge.md, max_tokens: 64}");
    let space = space(&server, &short);
    let done = space.kyo(&["run", "judge.yaml"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    assert!(
        done.stderr.contains("cut off") && done.stderr.contains("max_tokens"),
        "{}",
        done.stderr
    );
    space.write("judge.yaml", JUDGE);
    space.run("judge.yaml", &[]);
}

#[test]
fn a_prompt_that_names_what_the_stage_does_not_pass_is_told_before_anything_runs() {
    let server = ModelServer::start(GOOD);
    let space = space(&server, JUDGE);
    space.write("prompts/judge.md", "Judge:\n{{ papre }}");
    let done = space.kyo(&["run", "judge.yaml"]);
    assert_eq!(done.code, 2);
    for part in [
        "prompt::unknown_variable",
        "prompts/judge.md:2:4",
        "did you mean `paper`?",
    ] {
        assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
    }
    assert!(server.bodies().is_empty());
}

#[test]
fn eight_samples_after_five_pay_three() {
    const SAMPLES: &str = r#"
kyobashi: 1
name: samples
models: {judge: openai/gpt-4o-mini}
params: {n: 5}
stages:
  ask:
    uses: llm/chat
    matrix: {sample: "${range(params.n)}"}
    model: ${models.judge}
    with: {prompt: prompts/ask.md, sample: "${sample}"}
    out: {line: str}
outputs: {lines: "${ask.line}"}
"#;
    let server = ModelServer::with(|_, number| Said::Text(format!("Answer {number}.")));
    let space = space(&server, JUDGE);
    space
        .write("samples.yaml", SAMPLES)
        .write("prompts/ask.md", "Say something.");
    space.run("samples.yaml", &[]);
    assert_eq!(server.bodies().len(), 5);
    space.run("samples.yaml", &["--set", "params.n=8"]);
    assert_eq!(server.bodies().len(), 8, "three more were paid");
}

#[test]
fn a_picture_is_sent_and_enters_the_key_by_its_content() {
    let server = ModelServer::start("A bridge.");
    let yaml = r#"
kyobashi: 1
name: look
models: {judge: openai/gpt-4o-mini}
stages:
  draw:
    run: |
      printf '\211PNG\r\n\032\n' > "$figure"
      cat "$note" >> "$figure"
    in: {note: note.txt}
    out: {figure: file}
  look:
    uses: llm/chat
    model: ${models.judge}
    in: {images: ["${draw.figure}"]}
    with: {prompt: look.md}
    out: {line: str}
outputs: {line: "${look.line}"}
"#;
    let space = space(&server, yaml);
    space
        .write("look.yaml", yaml)
        .write("look.md", "What is this?");
    space.write("note.txt", "one").run("look.yaml", &[]);
    let content = &server.bodies()[0]["messages"][0]["content"];
    assert_eq!(content[0]["text"], "What is this?", "{content}");
    let url = content[1]["image_url"]["url"].as_str().unwrap();
    assert_eq!(url, "data:image/png;base64,iVBORw0KGgpvbmU=");
    space.run("look.yaml", &["--refresh", "look"]);
    assert_eq!(
        server.bodies().len(),
        1,
        "the same picture is the same call"
    );
    space.write("note.txt", "two").run("look.yaml", &[]);
    assert_eq!(server.bodies().len(), 2, "another picture is another call");
    space.run("look.yaml", &[]);
    let wrong = yaml.replace(r"\211PNG", "no picture");
    let done = space.write("look.yaml", &wrong).kyo(&["run", "look.yaml"]);
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.contains("takes PNG, JPEG, GIF and WebP"),
        "{}",
        done.stderr
    );
}

#[test]
fn the_key_goes_into_the_header_that_the_dialect_or_the_pipeline_names() {
    let cases = [
        (
            "dialect: openai-responses",
            "authorization",
            "Bearer test-key",
        ),
        ("dialect: gemini", "x-goog-api-key", "test-key"),
        ("dialect: anthropic", "x-api-key", "test-key"),
        (
            "dialect: anthropic, api_version: \"2026-10-21\"",
            "authorization",
            "Bearer test-key",
        ),
        ("auth: api-key", "api-key", "test-key"),
        (
            "dialect: gemini, auth: bearer",
            "authorization",
            "Bearer test-key",
        ),
    ];
    for (says, name, value) in cases {
        let server = ModelServer::start("Yes.");
        let url = server.url();
        let there =
            format!("providers: {{there: {{base_url: \"{url}\", key_env: THERE_KEY, {says}}}}}");
        let yaml = format!(
            r#"kyobashi: 1
name: ask
{there}
models: {{m: there/tiny}}
stages:
  ask:
    uses: llm/chat
    model: ${{models.m}}
    with: {{prompt: ask.md}}
    out: {{line: str}}
"#
        );
        let mut space = Space::new();
        space.write("ask.yaml", &yaml).write("ask.md", "Well?");
        space.set("THERE_KEY", crate::model_server::KEY);
        // The server speaks one dialect and refuses the others; what it was sent counts here.
        space.kyo(&["run", "ask.yaml"]);
        let headers = server.headers();
        let sent = headers
            .first()
            .unwrap_or_else(|| panic!("{says}: nothing was asked"));
        let keys: Vec<_> = sent
            .iter()
            .filter(|(_, held)| held.contains("test-key"))
            .map(|(name, held)| (name.as_str(), held.as_str()))
            .collect();
        assert_eq!(keys.len(), 1, "{says}: {keys:?}");
        assert_eq!(keys[0].0, name, "{says}");
        assert!(keys[0].1.starts_with(value), "{says}");
    }
}

#[test]
fn a_setting_that_the_dialect_does_not_have_is_told_before_anything_runs() {
    let server = ModelServer::start("Yes.");
    let url = server.url();
    let file = |models: &str, with: &str| {
        format!(
            r#"kyobashi: 1
name: ask
providers:
  new: {{base_url: "{url}", dialect: anthropic, api_version: "2026-10-21"}}
  old: {{base_url: "{url}", dialect: anthropic, api_version: "2023-06-01"}}
models: {{m: {models}}}
stages:
  ask:
    uses: llm/chat
    model: ${{models.m}}
    with: {{prompt: ask.md{with}}}
    out: {{line: str}}
"#
        )
    };
    let told = |yaml: &str| {
        let space = Space::new();
        space.write("ask.yaml", yaml).write("ask.md", "Well?");
        let done = space.kyo(&["check", "ask.yaml", "--format", "json"]);
        let ran = space.kyo(&["run", "ask.yaml"]);
        assert_eq!(ran.code == 2, done.code == 2, "{}", ran.stderr);
        let problems: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        let found = problems.as_array().unwrap().iter();
        found
            .filter(|problem| problem["code"] == "model::setting")
            .map(|problem| format!("{}:{}", problem["line"], problem["message"]))
            .collect::<Vec<_>>()
    };
    let no = |line: u32| {
        format!("{line}:\"the dialect `anthropic` 2026-10-21 has no setting `temperature`\"")
    };
    assert_eq!(told(&file("{id: new/m, temperature: 1}", "")), [no(6)]);
    assert_eq!(told(&file("new/m", ", temperature: 0.5")), [no(11)]);
    assert_eq!(told(&file("{id: old/m, temperature: 1}", "")), [""; 0]);
    assert_eq!(told(&file("old/m", ", temperature: 0.5")), [""; 0]);
    assert_eq!(server.bodies().len(), 0);
}

#[test]
fn one_picture_where_a_list_is_wanted_is_told_with_what_to_write() {
    let space = Space::new();
    let yaml = r#"kyobashi: 1
name: look
models: {m: openai/gpt-4o-mini}
stages:
  look:
    uses: llm/chat
    model: ${models.m}
    in: {images: page.png}
    with: {prompt: ask.md}
    out: {line: str}
"#;
    space.write("look.yaml", yaml).write("ask.md", "Well?");
    space.write("page.png", "no picture");
    let done = space.kyo(&["check", "look.yaml"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("look.yaml:8:18"), "{}", done.stderr);
    assert!(
        done.stderr.contains("write `[page.png]`"),
        "{}",
        done.stderr
    );
}
