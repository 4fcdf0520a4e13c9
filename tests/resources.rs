//! What stages take of the machine, and who gets it first.

use crate::space::Space;

/// Each stage writes a file while it runs, and says how many such files it saw.
const CROWD: &str = r#"
kyobashi: 1
name: crowd
stages:
  work:
    matrix: {n: "${range(6)}"}
    with: {n: "${n}"}
    run: |
      touch "$HOME/now/$n"
      ls "$HOME/now" | wc -l > "$seen"
      for turn in 1 2 3 4 5 6 7 8 9 10; do ls "$HOME/now" > /dev/null; done
      rm "$HOME/now/$n"
    out: {seen: int}
    resources: {RESOURCES}
outputs: {seen: "${work.seen}"}
"#;

/// The greatest number of stages that saw each other.
fn crowd(resources: &str, head: &str, more: &[&str]) -> i64 {
    let mut space = Space::new();
    let text = CROWD.replace("{RESOURCES}", resources);
    space.write("crowd.yaml", &format!("{text}{head}"));
    std::fs::create_dir(space.path("now")).unwrap();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space.run("crowd.yaml", &[&["--out", "out"], more].concat());
    let outputs: serde_json::Value = serde_json::from_str(&space.read("out/outputs.json")).unwrap();
    let seen = outputs["seen"].as_array().unwrap().iter();
    seen.map(|one| one.as_i64().unwrap()).max().unwrap()
}

#[test]
fn a_pool_of_the_users_own_limits_what_runs_at_once() {
    assert_eq!(crowd("{pools: {licence: 1}}", "", &["--jobs", "4"]), 1);
    let two = crowd(
        "{pools: {licence: 1}}",
        "pools: {licence: 2}\n",
        &["--jobs", "4"],
    );
    assert!(two <= 2, "{two} at once in a pool of two");
    let given = crowd(
        "{pools: {licence: 2}}",
        "pools: {licence: 4}\n",
        &["--jobs", "4", "--pool", "licence=2"],
    );
    assert_eq!(given, 1, "the command line wins over the file");
}

#[test]
fn a_pool_that_no_stage_asks_for_is_misspelt() {
    let space = Space::new();
    let stages: String = (0..80)
        .map(|n| format!("  s{n}: {{run: 'touch \"$x\"', out: {{x: file}}, resources: {{pools: {{licence: 1}}}}}}\n"))
        .collect();
    space.write(
        "many.yaml",
        &format!("kyobashi: 1\nname: many\npools: {{licence: 1}}\nstages:\n{stages}"),
    );
    for _ in 0..3 {
        // Also where the run before it could be told again.
        let done = space.kyo(&["run", "many.yaml", "--pool", "licences=3"]);
        assert_eq!(done.code, 2, "{}", done.stderr);
        let said = "no stage asks for `licences`\nhelp: pools of this pipeline: licence";
        assert!(done.stderr.contains(said), "{}", done.stderr);
        space.run("many.yaml", &["--pool", "licence=3"]);
    }
}

#[test]
fn a_thing_that_stands_in_its_pool_twice_is_told_with_its_place() {
    let space = Space::new();
    space.write(
        "twice.yaml",
        "kyobashi: 1\nname: twice\npools:\n  port: [8001, 8001, [3], null]\nstages: {}\n",
    );
    let done = space.kyo(&["check", "twice.yaml"]);
    assert_eq!(done.code, 2, "{}", done.stderr);
    for line in [
        "twice.yaml:4:16  `8001` is in the pool `port` already",
        "twice.yaml:4:22  `port` must be a list of names, this is a list",
        "twice.yaml:4:27  `port` must be a list of names, this is nothing",
    ] {
        assert!(done.stderr.contains(line), "{}", done.stderr);
    }
}

#[test]
fn a_request_that_can_never_be_met_is_told_with_its_place_before_anything_runs() {
    let space = Space::new();
    space.write(
        "greedy.yaml",
        r#"
kyobashi: 1
name: greedy
pools: {licence: 2}
stages:
  cheap:
    run: 'touch "$x"; echo ran >> ran.txt'
    out: {x: file}
  greedy:
    run: 'touch "$x"'
    out: {x: file}
    resources:
      cpu: 64
      memory: 900TiB
      pools: {licence: 3}
"#,
    );
    for command in ["check", "plan", "run"] {
        let done = space.kyo(&[command, "greedy.yaml", "--jobs", "2"]);
        assert_eq!(done.code, 2, "{}", done.stderr);
        for line in [
            "greedy.yaml:13:7  stage `greedy` can never run: it asks for 64 of `cpu`, and there is 2 here",
            "ask for less, or let more cores be used than there are: `--jobs 64`",
            "greedy.yaml:14:7  stage `greedy` can never run: it asks for 900TiB of `memory`",
            "greedy.yaml:15:15  stage `greedy` can never run: it asks for 3 of `licence`, and there is 2",
            "ask for less, or make the pool larger: `--pool licence=3`",
        ] {
            assert!(done.stderr.contains(line), "{line}\n{}", done.stderr);
        }
        assert_eq!(done.stdout, "");
    }
    assert!(!space.path(".kyobashi/runs").exists(), "nothing ran");
    let enough = [
        "--jobs",
        "64",
        "--pool",
        "licence=3",
        "--pool",
        "memory=1000TiB",
    ];
    space.run("greedy.yaml", &enough);
}

const GPUS: &str = r#"
kyobashi: 1
name: gpus
stages:
  work:
    matrix: {n: "${range(4)}"}
    with: {n: "${n}"}
    run: |
      mkdir "$HOME/held/$CUDA_VISIBLE_DEVICES"
      echo "$CUDA_VISIBLE_DEVICES" > "$mine"
      for turn in 1 2 3 4 5; do ls / > /dev/null; done
      rmdir "$HOME/held/$CUDA_VISIBLE_DEVICES"
    out: {mine: str}
    resources: {gpu: 1}
  plain:
    run: 'echo "${CUDA_VISIBLE_DEVICES:-none}" > "$mine"'
    out: {mine: str}
outputs: {mine: "${work.mine}", plain: "${plain.mine}"}
"#;

fn gpu_space() -> Space {
    let mut space = Space::new();
    space.write("gpus.yaml", GPUS);
    std::fs::create_dir(space.path("held")).unwrap();
    let home = space.path("").display().to_string();
    space.set("HOME", &home);
    space
}

fn outputs(space: &Space) -> serde_json::Value {
    serde_json::from_str(&space.read("out/outputs.json")).unwrap()
}

#[test]
fn each_gpu_is_one_stages_alone_and_it_is_told_which() {
    let mut space = gpu_space();
    space.set("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b");
    let done = space.run("gpus.yaml", &["--jobs", "4", "--out", "out"]);
    let outputs = outputs(&space);
    for mine in outputs["mine"].as_array().unwrap() {
        assert!(mine == "GPU-a" || mine == "GPU-b", "{mine}");
    }
    assert_eq!(
        outputs["plain"], "GPU-a,GPU-b",
        "who asks for none sees what kyo sees"
    );
    let started = done.events();
    let named = started
        .iter()
        .filter(|event| event["event"] == "node_started" && event["things"]["gpu"].is_array());
    assert_eq!(named.count(), 4, "the journal says who had which");
    // Which GPU it was is no part of a key.
    space.set("CUDA_VISIBLE_DEVICES", "GPU-c");
    assert_eq!(space.run("gpus.yaml", &[]).ended("ran"), [""; 0]);
}

#[test]
fn gpus_are_found_by_the_drivers_own_list() {
    let mut space = gpu_space();
    space.write(
        "bin/nvidia-smi",
        "#!/bin/sh\necho GPU-0d1e\necho GPU-77c1\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(space.path("bin/nvidia-smi"), mode).unwrap();
    let path = format!(
        "{}:{}",
        space.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    space.set("PATH", &path);
    space.run(
        "gpus.yaml",
        &["--jobs", "4", "--out", "out", "--pool", "gpu=1"],
    );
    for mine in outputs(&space)["mine"].as_array().unwrap() {
        assert_eq!(
            mine, "GPU-0d1e",
            "--pool takes the first of those that are there"
        );
    }
}

#[test]
fn without_a_gpu_a_stage_that_needs_one_is_a_problem_and_the_user_may_know_better() {
    let mut space = gpu_space();
    space.set("CUDA_VISIBLE_DEVICES", "");
    let done = space.kyo(&["check", "gpus.yaml"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr
            .contains("asks for 1 of `gpu`, and there is 0 here"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("--pool gpu=1"), "{}", done.stderr);
    let done = space.kyo(&["check", "gpus.yaml", "--pool", "gpu=1"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

#[test]
fn things_of_an_indexed_pool_are_told_by_name() {
    let space = Space::new();
    space.write(
        "ports.yaml",
        r#"
kyobashi: 1
name: ports
pools: {port: [8001, 8002]}
stages:
  serve:
    run: 'echo "$KYO_PORT" > "$at"'
    out: {at: str}
    resources: {pools: {port: 2}}
outputs: {at: "${serve.at}"}
"#,
    );
    space.run("ports.yaml", &["--out", "out"]);
    assert_eq!(space.read("out/at"), "8001,8002");
}

#[test]
fn a_pool_that_cannot_be_read_is_wrong_use() {
    let space = Space::new();
    space.write("gpus.yaml", GPUS);
    for (pool, said) in [
        ("licence", "as in `--pool licence=2`"),
        ("cpu=3", "--jobs 8"),
        ("memory=much", "64GiB"),
        ("licence=-1", "a number from 0"),
        ("gpu=0.5", "a whole number"),
        ("port=8001,8002,8001", "`8001` stands there twice"),
    ] {
        let done = space.kyo(&["run", "gpus.yaml", "--pool", pool]);
        assert_eq!(done.code, 2, "{pool}");
        assert!(done.stderr.contains(said), "{pool}\n{}", done.stderr);
    }
}

#[test]
fn the_longest_chain_goes_first_by_count_and_then_by_what_it_took() {
    let space = Space::new();
    space.write("gate", "0.0");
    let text = r#"
kyobashi: 1
name: chains
params: {VERSION}
stages:
  short:
    in: {gate: gate}
    with: {v: "${params.v}"}
    run: 'sleep "$(cat "$gate")"; touch "$x"'
    out: {x: file}
  long:
    with: {v: "${params.v}"}
    run: 'touch "$x"'
    out: {x: file}
  next:
    in: {x: "${long.x}"}
    run: 'touch "$y"'
    out: {y: file}
"#;
    let first = |v: &str| {
        space.write(
            "chains.yaml",
            &text.replace("{VERSION}", &format!("{{v: {v}}}")),
        );
        let events = space.run("chains.yaml", &["--jobs", "1"]).events();
        let mut started = events
            .iter()
            .filter(|event| event["event"] == "node_started");
        started.next().unwrap()["address"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(first("1"), "long", "two stages are a longer chain than one");
    // Now `short` takes longer than both others together, and that is known the next time.
    space.write("gate", "1");
    first("2");
    assert_eq!(first("3"), "short");
}

#[test]
fn a_stage_that_needs_every_core_is_not_passed_over_for_ever() {
    let space = Space::new();
    // `big` comes first in the file, so it is more urgent than all that are as long as it.
    space.write(
        "big.yaml",
        r#"
kyobashi: 1
name: big
stages:
  first:
    run: 'touch "$x"'
    out: {x: file}
  big:
    in: {x: "${first.x}"}
    run: 'touch "$y"'
    out: {y: file}
    resources: {cpu: 2}
  small:
    matrix: {n: "${range(20)}"}
    in: {x: "${first.x}"}
    with: {n: "${n}"}
    run: 'touch "$y"'
    out: {y: file}
"#,
    );
    let done = space.run("big.yaml", &["--jobs", "2"]);
    let events = done.events();
    let ended: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "node_finished")
        .map(|event| event["address"].as_str().unwrap())
        .collect();
    assert_eq!(ended[..2], ["first", "big"], "{ended:?}");
}
