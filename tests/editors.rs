//! What editors and shells are given: the schema, a first pipeline, completions.

use serde_json::Value;

use crate::space::Space;

#[test]
fn init_writes_a_pipeline_that_runs_and_tells_editors_of_its_schema() {
    let space = Space::new();
    let done = space.kyo(&["init", "studies/dice.yaml"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let text = space.read("studies/dice.yaml");
    let head: Vec<&str> = text.lines().take(2).collect();
    assert_eq!(
        head,
        [
            "# yaml-language-server: $schema=kyobashi.schema.json",
            "# $schema: kyobashi.schema.json"
        ]
    );
    let beside: Value = serde_json::from_str(&space.read("studies/kyobashi.schema.json")).unwrap();
    let printed: Value = serde_json::from_str(&space.kyo(&["schema"]).stdout).unwrap();
    assert_eq!(beside, printed);
    assert_eq!(space.run("studies/dice.yaml", &[]).totals()["ran"], 4);
    assert_eq!(space.run("studies/dice.yaml", &[]).totals()["ran"], 0);

    let again = space.kyo(&["init", "studies/dice.yaml"]);
    assert_eq!(again.code, 2);
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    assert_eq!(space.read("studies/dice.yaml"), text);
    assert_eq!(space.kyo(&["init", "dice.txt"]).code, 2);
}

#[test]
fn every_shell_has_completions_of_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = Space::new().kyo(&["completions", shell]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        for word in ["plan", "why", "--profile"] {
            assert!(
                done.stdout.contains(word.trim_start_matches('-')),
                "{shell} has no {word}"
            );
        }
    }
}
