//! `kyo export`: an RO-Crate whose every file is there with its digests, and whose actions say who made
//! what from what, as the Workflow Run profiles demand.

#[path = "export/entities.rs"]
mod entities;
#[path = "export/odd.rs"]
mod odd;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::space::Space;
use entities::{Crate, ids, is};

const CHAIN: &str = r#"
kyobashi: 1
name: chain
params: {who: world, table: {type: file, default: in/table.csv}, folder: {type: dir, default: in/folder}}
stages:
  greet:
    in: {table: "${params.table}", folder: "${params.folder}"}
    with: {who: "${params.who}"}
    run: 'cat "$table" "$folder"/* > "$text"; echo "hello $who" >> "$text"'
    out: {text: text}
  shout:
    in: {text: "${greet.text}"}
    run: 'tr a-z A-Z < "$text" > "$loud"; wc -l < "$loud" > "$lines"'
    out: {loud: text, lines: int}
  each:
    matrix: {n: [1, 2]}
    in: {loud: "${shout.loud}"}
    with: {n: "${n}"}
    run: 'head -n "$n" "$loud" > "$page"'
    out: {page: text}
outputs: {loud.txt: "${shout.loud}", lines: "${shout.lines}", pages: "${each.page}"}
"#;

fn chain() -> Space {
    let space = Space::new();
    space
        .write("chain.yaml", CHAIN)
        .write("in/table.csv", "a,b\n1,2\n")
        .write("in/folder/one", "one\n")
        .write("in/folder/deep/two", "two\n");
    space.write(
        "chain.yaml",
        &CHAIN.replace("\"$folder\"/*", "\"$folder\"/one"),
    );
    space.run("chain.yaml", &[]);
    space
}

fn export(space: &Space, words: &[&str]) -> Value {
    let done = space.kyo(&[&["export", "--json"], words].concat());
    assert_eq!(done.code, 0, "{}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn every_file_of_a_crate_is_there_with_its_size_and_digests_and_every_reference_leads_somewhere() {
    let space = chain();
    let written = export(&space, &["last", "--out", "crate"]);
    let folder = space.path("crate");
    let found = Crate::read(&folder);
    let files = found.of_type("File");
    assert_eq!(written["files"], files.len());
    for file in &files {
        let path = folder.join(file["@id"].as_str().unwrap());
        let bytes =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(file["contentSize"], bytes.len().to_string());
        let sha256: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(file["sha256"], sha256);
        assert_eq!(
            file["identifier"],
            format!("blake3:{}", blake3::hash(&bytes).to_hex())
        );
        assert!(file["encodingFormat"].is_string());
    }
    // Whatever lies in the folder is described.
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let id = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            assert!(found.0.contains_key(id), "{id} is not described");
        }
    }
    for entity in found.0.values() {
        for (field, value) in entity.as_object().unwrap() {
            for id in ids(value).iter().filter(|_| field != "conformsTo") {
                assert!(
                    found.0.contains_key(id),
                    "{field} of {entity} leads nowhere"
                );
            }
        }
    }
    let root = &found.0["./"];
    let parts = ids(&root["hasPart"]);
    for file in files.iter().chain(&found.of_type("Dataset")) {
        let id = file["@id"].as_str().unwrap();
        assert!(
            id == "./" || id == "ro-crate-metadata.json" || parts.iter().any(|part| part == id),
            "{id}"
        );
    }
    assert_eq!(
        std::fs::read_to_string(folder.join("outputs/loud.txt")).unwrap(),
        "A,B\n1,2\nONE\nHELLO WORLD\n"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("data/in/folder/deep/two")).unwrap(),
        "two\n"
    );
}

#[test]
fn a_crate_has_what_the_workflow_run_profiles_demand() {
    let space = chain();
    export(
        &space,
        &[
            "1",
            "--out",
            "crate",
            "--author",
            "Ada Lovelace",
            "--license",
            "CC-BY-4.0",
        ],
    );
    let found = Crate::read(&space.path("crate"));
    let (metadata, root) = (&found.0["ro-crate-metadata.json"], &found.0["./"]);
    assert_eq!(ids(&metadata["about"]), ["./"]);
    assert!(ids(&metadata["conformsTo"]).contains(&"https://w3id.org/ro/crate/1.1".to_owned()));
    let profiles = ids(&root["conformsTo"]);
    for profile in ["process", "workflow", "provenance"] {
        let id = format!("https://w3id.org/ro/wfrun/{profile}/0.5");
        assert!(
            profiles.contains(&id) && is(&found.0[&id], "CreativeWork"),
            "{id}"
        );
    }
    for field in ["name", "description", "datePublished"] {
        assert!(root[field].is_string(), "{field}");
    }
    assert_eq!(
        found.one(root, "license")["@id"],
        "https://spdx.org/licenses/CC-BY-4.0"
    );

    let workflow = found.one(root, "mainEntity");
    for ty in [
        "File",
        "SoftwareSourceCode",
        "ComputationalWorkflow",
        "HowTo",
    ] {
        assert!(is(workflow, ty), "{workflow}");
    }
    assert!(is(
        found.one(workflow, "programmingLanguage"),
        "ComputerLanguage"
    ));
    let parameters = [
        found.refs(workflow, "input"),
        found.refs(workflow, "output"),
    ];
    assert_eq!(parameters.each_ref().map(Vec::len), [3, 3]);
    for parameter in parameters.concat() {
        assert!(is(parameter, "FormalParameter") && parameter["additionalType"].is_string());
        let example = found.one(parameter, "workExample");
        assert!(
            ids(&example["exampleOfWork"]).contains(&parameter["@id"].as_str().unwrap().to_owned())
        );
    }
    let types: Vec<_> = parameters
        .concat()
        .iter()
        .map(|one| one["additionalType"].clone())
        .collect();
    assert_eq!(
        types,
        [
            "Dataset",
            "File",
            "Text",
            "PropertyValue",
            "File",
            "Collection"
        ]
    );

    let steps = found.refs(workflow, "step");
    assert_eq!(steps.len(), 3);
    let tools = found.refs(workflow, "hasPart");
    for step in &steps {
        let tool = found.one(step, "workExample");
        assert!(is(step, "HowToStep") && tools.contains(&tool));
        assert!(step["position"].as_str().unwrap().parse::<u32>().is_ok());
    }
    let mentioned = ids(&root["mentions"]);
    let actions = found.of_type("CreateAction");
    assert_eq!(actions.len(), 5, "four stage runs and the run");
    for action in &actions {
        let (start, end) = (
            action["startTime"].as_str().unwrap(),
            action["endTime"].as_str().unwrap(),
        );
        assert!(
            start <= end && start.len() == "2026-11-23T09:20:00.125+00:00".len(),
            "{start} {end}"
        );
        assert!(mentioned.contains(&action["@id"].as_str().unwrap().to_owned()));
        assert_eq!(
            action["actionStatus"],
            "http://schema.org/CompletedActionStatus"
        );
        assert_eq!(found.one(action, "agent")["name"], "Ada Lovelace");
        assert!(
            !found.refs(action, "object").is_empty() && !found.refs(action, "result").is_empty()
        );
        let instrument = found.one(action, "instrument");
        assert!(
            instrument == workflow || tools.contains(&instrument),
            "{instrument}"
        );
    }
    let whole = actions
        .iter()
        .find(|action| found.one(action, "instrument") == workflow)
        .unwrap();
    let organize = &found.of_type("OrganizeAction")[..];
    assert_eq!(organize.len(), 1);
    assert_eq!(found.one(organize[0], "result"), *whole);
    let engine = found.one(organize[0], "instrument");
    assert_eq!(
        (&engine["name"], &engine["softwareVersion"]),
        (&json!("kyo"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let controls = found.refs(organize[0], "object");
    assert_eq!(controls.len(), 4);
    for control in controls {
        let (step, action) = (
            found.one(control, "instrument"),
            found.one(control, "object"),
        );
        assert!(steps.contains(&step));
        assert_eq!(
            found.one(step, "workExample"),
            found.one(action, "instrument")
        );
    }
}

#[test]
fn what_one_stage_made_is_what_the_next_one_read_and_reused_work_keeps_its_own_times() {
    let space = chain();
    space.run("chain.yaml", &["--set", "params.who=moon"]);
    space.run("chain.yaml", &[]);
    export(&space, &["last", "--out", "crate"]);
    let found = Crate::read(&space.path("crate"));
    let action = |name: &str| &found.0[&format!("#action/{name}")];
    let text = found.one(action("greet"), "result");
    assert!(found.refs(action("shout"), "object").contains(&text));
    let loud = found.refs(action("shout"), "result");
    let loud = loud
        .iter()
        .find(|made| made["@id"] == "outputs/loud.txt")
        .unwrap();
    for n in [1, 2] {
        let read = found.refs(action(&format!("each_n={n}")), "object");
        assert!(read.contains(loud));
        let given = |one: &&Value| one["name"] == "with.n" && one["value"] == n;
        assert!(read.iter().any(given));
    }
    let whole = &found.0["#run"];
    assert!(
        action("greet")["endTime"].as_str() <= whole["startTime"].as_str(),
        "made by run 1"
    );
    let about = action("greet")["description"].as_str().unwrap();
    assert!(about.contains("Made by run 1, and reused"), "{about}");
    let script = found.0["#tool/shout"]["text"].as_str().unwrap();
    assert!(script.starts_with("tr a-z A-Z"), "{script}");
    // A failure is an action, too.
    space.write(
        "chain.yaml",
        &CHAIN
            .replace("tr a-z", "exit 7; tr a-z")
            .replace("/*", "/one"),
    );
    assert_eq!(space.kyo(&["run", "chain.yaml"]).code, 1);
    export(&space, &["last", "--out", "failed"]);
    let failed = Crate::read(&space.path("failed"));
    let shout = &failed.0["#action/shout"];
    assert_eq!(
        shout["actionStatus"],
        "http://schema.org/FailedActionStatus"
    );
    assert_eq!(shout["error"], "exit code 7");
    assert_eq!(
        failed.0["#run"]["actionStatus"],
        "http://schema.org/FailedActionStatus"
    );
}

#[test]
fn an_archive_holds_the_same_and_is_the_same_each_time() {
    let space = chain();
    export(&space, &["last", "--out", "crate"]);
    for name in ["one.zip", "two.zip"] {
        export(&space, &["last", "--out", name]);
    }
    let bytes = |name: &str| std::fs::read(space.path(name)).unwrap();
    assert_eq!(bytes("one.zip"), bytes("two.zip"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes("one.zip"))).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert!(names.len() > 8 && names.contains(&"ro-crate-metadata.json".to_owned()));
    for name in names {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut archive.by_name(&name).unwrap(), &mut text).unwrap();
        assert_eq!(text, space.read(&format!("crate/{name}")), "{name}");
    }
}

#[test]
fn what_is_left_out_or_gone_is_described_and_nothing_is_overwritten() {
    let space = chain();
    let all = export(&space, &["last", "--out", "all"]);
    let few = export(&space, &["last", "--out", "few", "--outputs-only"]);
    assert!(few["files"].as_u64() < all["files"].as_u64());
    assert!(space.path("few/outputs/loud.txt").exists() && !space.path("few/stages").exists());
    let found = Crate::read(&space.path("few"));
    let text = found.one(&found.0["#action/greet"], "result");
    assert!(text["identifier"].as_str().unwrap().starts_with("blake3:"));
    assert!(
        text["description"].as_str().unwrap().contains("left out"),
        "{text}"
    );

    for (words, said) in [
        (&["export", "last", "--out", "all"][..], "is there already"),
        (
            &["export", "last", "--out", "chain.yaml"],
            "is there already",
        ),
        (&["export", "9", "--out", "nine"], "numbered 1 to 1"),
    ] {
        let done = space.kyo(words);
        assert_eq!(done.code, 2, "{words:?}");
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
    // A damaged file is never given to others, and no half a crate is left.
    let id = text["identifier"]
        .as_str()
        .unwrap()
        .strip_prefix("blake3:")
        .unwrap()
        .to_owned();
    let blob = space.path(&format!(".kyobashi/objects/{}/{}", &id[..2], &id[2..]));
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, "a,b\n1,2\none\nhello w0rld\n").unwrap();
    for out in ["damaged", "damaged.zip"] {
        let done = space.kyo(&["export", "last", "--out", out]);
        assert_ne!(done.code, 0);
        assert!(
            done.stderr.contains("damaged") && done.stderr.contains("kyo verify"),
            "{}",
            done.stderr
        );
        assert!(!space.path(out).exists());
    }
    std::fs::remove_file(&blob).unwrap();
    let done = space.kyo(&["export", "last", "--out", "gone"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(
        done.stderr.contains("no longer in the store"),
        "{}",
        done.stderr
    );
    let gone = Crate::read(&space.path("gone"));
    assert!(
        gone.one(&gone.0["#action/greet"], "result")["description"]
            .as_str()
            .unwrap()
            .contains("no longer")
    );
}
