//! `kyo lsp`, driven as an editor drives it: messages in, messages out, over a pipe.

use std::io::{BufReader, BufWriter};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use crate::space::Space;

/// An editor with one `kyo lsp`.
struct Editor<'s> {
    space: &'s Space,
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
    asked: i32,
}

impl<'s> Editor<'s> {
    fn start(space: &'s Space) -> Self {
        let mut command = space.command(&["lsp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut editor = Self {
            space,
            to: BufWriter::new(child.stdin.take().unwrap()),
            from: BufReader::new(child.stdout.take().unwrap()),
            child,
            asked: 0,
        };
        let can = editor.ask("initialize", json!({"capabilities": {}}));
        assert_eq!(can["capabilities"]["hoverProvider"], true, "{can}");
        editor.say("initialized", json!({}));
        editor
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}", self.space.path(file).display())
    }

    fn say(&mut self, method: &str, params: Value) {
        let message = Message::Notification(Notification::new(method.to_owned(), params));
        message.write(&mut self.to).unwrap();
    }

    fn hear(&mut self) -> Message {
        Message::read(&mut self.from).unwrap().expect("an answer")
    }

    /// Asks, and waits for the answer; problems that are told meanwhile are passed over.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = RequestId::from(self.asked);
        let request = Request::new(id.clone(), method.to_owned(), params);
        Message::Request(request).write(&mut self.to).unwrap();
        loop {
            if let Message::Response(Response {
                id: of,
                response_result,
            }) = self.hear()
            {
                assert_eq!(of, id);
                return response_result.expect("an answer, not an error");
            }
        }
    }

    /// Opens a file, or changes it, and waits for what is told of it.
    fn problems(&mut self, file: &str, text: &str, open: bool) -> Vec<String> {
        let uri = self.uri(file);
        if open {
            let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
            self.say("textDocument/didOpen", json!({"textDocument": document}));
        } else {
            let document = json!({"uri": uri, "version": 2});
            let changes = json!([{"text": text}]);
            self.say(
                "textDocument/didChange",
                json!({"textDocument": document, "contentChanges": changes}),
            );
        }
        loop {
            let Message::Notification(told) = self.hear() else {
                panic!("an answer to no question")
            };
            assert_eq!(told.method, "textDocument/publishDiagnostics");
            if told.params["uri"] == uri {
                return told.params["diagnostics"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| {
                        let start = &one["range"]["start"];
                        let code = one["code"].as_str().unwrap();
                        format!("{}:{} {code}", start["line"], start["character"])
                    })
                    .collect();
            }
        }
    }

    fn place(&self, file: &str, text: &str, at: &str) -> Value {
        let byte = text.find(at).unwrap() + at.len();
        let before = &text[..byte];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
        json!({
            "textDocument": {"uri": self.uri(file)},
            "position": {"line": line, "character": column},
        })
    }

    /// The names offered right after the first `at` in a text that is open.
    fn offered(&mut self, file: &str, text: &str, at: &str) -> Vec<String> {
        self.problems(file, text, false);
        let place = self.place(file, text, at);
        let items = self.ask("textDocument/completion", place);
        let items = items.as_array().unwrap().iter();
        items
            .map(|item| item["label"].as_str().unwrap().to_owned())
            .collect()
    }

    fn goodbye(mut self) {
        self.ask("shutdown", Value::Null);
        self.say("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

const PIPELINE: &str = r#"kyobashi: 1
params: {都市: 橋, who: world}
stages:
  greet:
    with: {who: "${params.who}"}
    run: echo "$who" > "$text"
    out: {text: text}
  count:
    in: {text: "${greet.text}"}
    run: wc -c < "$text" > "$n"
    out: {n: int}
outputs: {n: "${count.n}"}
"#;

#[test]
fn an_editor_is_told_what_check_would_say_while_the_file_is_unsaved() {
    let space = Space::new();
    let mut editor = Editor::start(&space);
    assert_eq!(editor.problems("a.yaml", PIPELINE, true), [""; 0]);
    let wrong = PIPELINE.replace("${greet.text}", "${greet.txt}");
    assert_eq!(
        editor.problems("a.yaml", &wrong, false),
        ["8:24 ref::unknown_output"]
    );
    let wide = PIPELINE.replace("${params.who}", "𠮷${params.nobody}");
    assert_eq!(
        editor.problems("a.yaml", &wide, false),
        ["4:28 ref::unknown_param"],
        "columns are counted in UTF-16"
    );
    assert_eq!(
        editor.problems("a.yaml", PIPELINE, false),
        [""; 0],
        "mended"
    );
    assert!(!space.path("a.yaml").exists(), "nothing was saved");
    editor.goodbye();
}

#[test]
fn names_are_offered_where_they_could_stand() {
    let space = Space::new();
    let mut editor = Editor::start(&space);
    editor.problems("a.yaml", PIPELINE, true);
    let typed = |new: &str| PIPELINE.replace("${greet.text}", new);
    let stages = editor.offered("a.yaml", &typed("${"), "in: {text: \"${");
    assert_eq!(stages, ["count", "greet", "models", "params"]);
    let outputs = editor.offered("a.yaml", &typed("${greet.}"), "${greet.");
    assert_eq!(outputs, ["text"]);
    let params = editor.offered("a.yaml", &typed("${params.w"), "${params.w");
    assert_eq!(params, ["who", "都市"]);
    let keys = PIPELINE.replace("    run: wc", "    ti\n    run: wc");
    let keys = editor.offered("a.yaml", &keys, "\n    ti");
    assert!(keys.contains(&"timeout".to_owned()), "{keys:?}");
    let types = PIPELINE.replace("run: wc -c < \"$text\" > \"$n\"", "uses: stats/");
    let types = editor.offered("a.yaml", &types, "uses: stats/");
    assert!(types.contains(&"stats/aggregate".to_owned()), "{types:?}");
    editor.goodbye();
}

#[test]
fn a_reference_shows_its_type_and_leads_to_its_stage() {
    let space = Space::new();
    let mut editor = Editor::start(&space);
    editor.problems("a.yaml", PIPELINE, true);
    let place = editor.place("a.yaml", PIPELINE, "n: \"${cou");
    let hover = editor.ask("textDocument/hover", place.clone());
    assert_eq!(hover["contents"]["value"], "`int`");
    let there = editor.ask("textDocument/definition", place);
    assert_eq!(there["uri"], editor.uri("a.yaml"));
    assert_eq!(there["range"]["start"], json!({"line": 7, "character": 2}));
    let nothing = editor.place("a.yaml", PIPELINE, "kyobashi");
    assert_eq!(editor.ask("textDocument/hover", nothing), Value::Null);
    editor.goodbye();
}
