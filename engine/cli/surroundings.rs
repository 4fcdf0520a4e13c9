//! What the environment gives: providers and keys, what a shell command sees, facts of the machine,
//! and where the program's own files are. The only file that reads environment variables for the engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kyobashi_engine::plan::key::Machine;
use kyobashi_engine::spec::{FileKind, Files, Provider, Spec};
use kyobashi_science::{self as server, Auth, Dialect, Providers};
use kyobashi_stage::{BASELINE, Description};

/// Variables with which the official clients are led to another server.
const BASE_URLS: &[(&str, &str)] = &[
    ("openai", "OPENAI_BASE_URL"),
    ("anthropic", "ANTHROPIC_BASE_URL"),
    ("ollama", "OLLAMA_BASE_URL"),
];

/// What is around a run.
pub(crate) struct Surroundings {
    pub(crate) providers: BTreeMap<String, Provider>,
    /// How each of them is asked.
    servers: Providers,
    /// Values of every variable that could be a secret.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Reads the environment.
    pub(crate) fn read() -> Self {
        // What is set wins over what `.env` says.
        let file = dotenvy::from_filename_iter(".env")
            .into_iter()
            .flatten()
            .flatten();
        let variables: BTreeMap<String, String> = file.chain(std::env::vars()).collect();
        let given = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let mut servers = Providers::default();
        for (name, variable) in BASE_URLS {
            if let (Some(url), Some(known)) = (given(variable), servers.get(name).cloned()) {
                servers.add(
                    name,
                    server::Provider {
                        base_url: url.trim_end_matches('/').to_owned(),
                        ..known
                    },
                );
            }
        }
        let known = servers.iter().map(|(name, server)| {
            let provider = Provider {
                endpoint: server.identity(),
                key_env: server.key.clone(),
                key_present: server.key.as_deref().is_none_or(|key| given(key).is_some()),
            };
            (name.to_owned(), provider)
        });
        let baseline = Provider {
            endpoint: String::new(),
            key_env: None,
            key_present: true,
        };
        let providers = known.chain([(BASELINE.to_owned(), baseline)]).collect();
        Self {
            providers,
            servers,
            variables,
        }
    }

    /// The servers of models, with those that a pipeline declares itself.
    pub(crate) fn servers(&self, spec: &Spec) -> Providers {
        let mut servers = self.servers.clone();
        for (name, entry) in &spec.providers {
            let known = servers.get(name).cloned();
            let Some(base_url) = entry
                .base_url
                .clone()
                .or_else(|| known.as_ref().map(|known| known.base_url.clone()))
            else {
                continue;
            };
            let spoken = entry.dialect.as_ref().and_then(|word| dialect(word));
            let speaks = spoken.unwrap_or(Dialect::OpenaiChat);
            let is_new = known.is_none();
            let mut provider = server::Provider {
                base_url: base_url.clone(),
                ..known.unwrap_or_else(|| server::Provider::new(speaks, &base_url, None))
            };
            if let Some(dialect) = spoken {
                provider.dialect = dialect;
            }
            if entry.api_version.is_some() {
                provider.api_version = entry.api_version.clone();
            } else if is_new {
                let mut all = self.servers.iter().map(|(_, one)| one);
                let same = all.find(|one| one.dialect == provider.dialect);
                provider.api_version = same.and_then(|one| one.api_version.clone());
            }
            if is_new || spoken.is_some() || entry.api_version.is_some() {
                provider.auth = Auth::usual(provider.dialect, provider.api_version.as_deref());
            }
            match entry.auth.as_deref() {
                Some("bearer") => provider.auth = Auth::Bearer,
                Some(header) => provider.auth = Auth::Header(header.to_owned()),
                None => {}
            }
            if entry.key_env.is_some() {
                provider.key = entry.key_env.clone();
            }
            if entry.identity.is_some() {
                provider.identity = entry.identity.clone();
            }
            let limits = &mut provider.limits;
            limits.at_once = entry.at_once.or(limits.at_once);
            limits.rpm = entry.rpm.or(limits.rpm);
            limits.tpm = entry.tpm.or(limits.tpm);
            limits.tries = entry.tries.unwrap_or(limits.tries);
            let seconds =
                |given: Option<Duration>, usual| given.map_or(usual, |given| given.as_secs_f64());
            limits.timeout = seconds(entry.timeout, limits.timeout);
            limits.longest_wait = seconds(entry.longest_wait, limits.longest_wait);
            limits.patience = seconds(entry.patience, limits.patience);
            servers.add(name, provider);
        }
        servers
    }

    /// What a `run:` command sees: enough to find programs, nothing that could be a secret.
    pub(crate) fn shell(&self) -> BTreeMap<String, String> {
        let passed = [
            "PATH",
            "HOME",
            "USER",
            "LANG",
            "LC_ALL",
            "TZ",
            "TMPDIR",
            "LD_LIBRARY_PATH",
            "CUDA_VISIBLE_DEVICES",
        ];
        let passed = passed.iter().filter_map(|name| {
            self.variables
                .get(*name)
                .map(|value| ((*name).to_owned(), value.clone()))
        });
        passed.collect()
    }
}

/// A dialect by its word in `providers:`.
fn dialect(word: &str) -> Option<Dialect> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// The folder with the program's own pipelines and sources: `KYO_HOME`, or where it was built.
pub(crate) fn home() -> PathBuf {
    std::env::var_os("KYO_HOME")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// What the trainer can do, known without it.
pub(crate) fn trainer() -> Description {
    serde_json::from_str(include_str!("../../stages/trainer/describe.json"))
        .expect("the trainer's description is tested to be what the trainer prints")
}

/// Facts that can change the bits of a training.
pub(crate) fn machine() -> Machine {
    let capability = capability();
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let device = device(visible.as_deref(), Path::new("/proc/driver/nvidia/gpus"));
    let facts = [
        ("libtorch", crate::setup::LIBTORCH_VERSION),
        ("device", device.as_str()),
        ("capability", capability),
        ("arch", std::env::consts::ARCH),
    ];
    facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The model of the GPU that trainings would take, by the driver's own folder; `cpu` without one. Another
/// model gives other bits.
fn device(visible: Option<&str>, gpus: &Path) -> String {
    let hidden = visible.is_some_and(|list| list.trim().is_empty() || list.trim() == "-1");
    let folders = std::fs::read_dir(gpus).ok().filter(|_| !hidden);
    let mut models: Vec<String> = folders
        .into_iter()
        .flatten()
        .filter_map(|folder| std::fs::read_to_string(folder.ok()?.path().join("information")).ok())
        .filter_map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
            Some(line.trim().to_owned())
        })
        .collect();
    models.sort();
    models.dedup();
    if models.is_empty() {
        return "cpu".to_owned();
    }
    format!("cuda {}", models.join(" or "))
}

/// The instruction set of the processor, and who multiplies large matrices where the trainer does not
/// leave that to libtorch (`stages/trainer/shim/products.cpp` decides in the same way).
#[cfg(target_arch = "x86_64")]
fn capability() -> &'static str {
    let all = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq");
    let maker = std::arch::x86_64::__cpuid(0);
    let intel = [maker.ebx, maker.edx, maker.ecx]
        .map(u32::to_le_bytes)
        .concat()
        == b"GenuineIntel";
    if all && !intel {
        "avx512, products by oneDNN"
    } else if is_x86_feature_detected!("avx512f") {
        "avx512"
    } else if is_x86_feature_detected!("avx2") {
        "avx2"
    } else {
        "default"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn capability() -> &'static str {
    "default"
}

/// The disk, as the checker sees it.
#[derive(Clone, Copy)]
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn look(&self, path: &Path) -> Option<FileKind> {
        let metadata = path.metadata().ok()?;
        Some(if metadata.is_dir() {
            FileKind::Dir
        } else {
            FileKind::File
        })
    }

    fn list(&self, dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn a_gpu_is_known_by_its_model_unless_it_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(device(None, &dir.path().join("none")), "cpu");
        for name in ["0000:01:00.0", "0000:02:00.0"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            let text = "Model: \t\t NVIDIA H100\nIRQ: 1\n";
            std::fs::write(dir.path().join(name).join("information"), text).unwrap();
        }
        assert_eq!(device(None, dir.path()), "cuda NVIDIA H100");
        assert_eq!(device(Some("0"), dir.path()), "cuda NVIDIA H100");
        for hidden in ["", "-1"] {
            assert_eq!(device(Some(hidden), dir.path()), "cpu");
        }
    }
}
