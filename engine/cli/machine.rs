//! What the machine has for stages: cores, memory, graphics processors; and what the command line says
//! of these and of the user's own pools. Nothing is asked of CUDA.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use kyobashi_engine::spec::{Pool, size};

use crate::arguments::Values;
use crate::exit::Stopped;

/// What there is. Graphics processors are looked for when a stage asks for one.
pub(crate) struct Machine {
    cores: f64,
    /// `CUDA_VISIBLE_DEVICES`, where it is set.
    visible: Option<String>,
    given: BTreeMap<String, Pool>,
    gpus: OnceCell<Vec<String>>,
}

impl Machine {
    /// The machine, with at most `--jobs` cores, and with what `--pool` says.
    ///
    /// # Errors
    /// A `--pool` that cannot be read.
    pub(crate) fn new(
        values: &Values,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, Stopped> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let given = values.pool.iter().map(|text| pool(text));
        Ok(Self {
            cores: values.jobs.unwrap_or(cores).max(1) as f64,
            visible: variables.get("CUDA_VISIBLE_DEVICES").cloned(),
            given: given.collect::<Result<_, _>>()?,
            gpus: OnceCell::new(),
        })
    }

    /// The pools of the user's own that the command line speaks of.
    pub(crate) fn given(&self) -> impl Iterator<Item = &str> {
        let names = self.given.keys().map(String::as_str);
        names.filter(|name| !["gpu", "memory"].contains(name))
    }

    /// What there is of a pool; none if nothing is said of it.
    pub(crate) fn pool(&self, name: &str) -> Option<Pool> {
        match (name, self.given.get(name)) {
            ("cpu", _) => Some(Pool::Sum(self.cores)),
            ("gpu", Some(Pool::Sum(count))) => Some(Pool::Indexed(self.some_gpus(*count as usize))),
            (_, Some(given)) => Some(given.clone()),
            ("gpu", None) => Some(Pool::Indexed(self.gpus().to_vec())),
            ("memory", None) => Some(Pool::Sum(memory())),
            _ => None,
        }
    }

    /// So many of the GPUs that are there; numbers where there are fewer.
    fn some_gpus(&self, count: usize) -> Vec<String> {
        let found = self.gpus();
        match found.get(..count) {
            Some(first) => first.to_vec(),
            None => (0..count).map(|number| number.to_string()).collect(),
        }
    }

    fn gpus(&self) -> &[String] {
        self.gpus.get_or_init(|| {
            self.visible
                .as_deref()
                .map(visible_devices)
                .or_else(listed_by_the_driver)
                .unwrap_or_else(named_in_proc)
        })
    }
}

/// `licence=2`, `gpu=2`, `gpu=GPU-5d2a,GPU-77c1`, `memory=64GiB`, `port=8001,8002`.
fn pool(text: &str) -> Result<(String, Pool), Stopped> {
    let wrong = |why: &str| Stopped::wrong(format!("--pool {text}: {why}"));
    let (name, value) = text
        .split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .ok_or_else(|| {
            wrong("this is no pool").help("write its name and its size, as in `--pool licence=2`")
        })?;
    if name == "cpu" {
        return Err(wrong("the cores are not given in this way")
            .help("write how many may be used as `--jobs 8`"));
    }
    let number = match name {
        "memory" => size(value).or_else(|| value.parse().ok()),
        _ => value.parse().ok(),
    };
    let number = number.filter(|size: &f64| *size >= 0.0 && size.is_finite());
    let pool = match number {
        Some(count) if name == "gpu" && count.fract() != 0.0 => {
            return Err(wrong("a GPU is not divided").help("write a whole number"));
        }
        Some(size) => Pool::Sum(size),
        None if name == "memory" => {
            return Err(wrong("this is no size").help("write it with its unit: `64GiB`"));
        }
        None if value.parse::<f64>().is_ok() => {
            return Err(wrong("a pool cannot have that size").help("write a number from 0"));
        }
        None => {
            let names = value.split(',').map(str::trim);
            let mut things: Vec<String> = Vec::new();
            for thing in names.filter(|thing| !thing.is_empty()) {
                if things.iter().any(|known| known == thing) {
                    return Err(wrong(&format!("`{thing}` stands there twice"))
                        .help("a thing is handed to one stage run at a time: name it once"));
                }
                things.push(thing.to_owned());
            }
            Pool::Indexed(things)
        }
    };
    Ok((name.to_owned(), pool))
}

/// As CUDA reads the variable: names up to the first that is none.
fn visible_devices(names: &str) -> Vec<String> {
    let names = names.split(',').map(str::trim);
    names
        .take_while(|name| !name.is_empty() && !name.starts_with('-') && *name != "NoDevFiles")
        .map(str::to_owned)
        .collect()
}

/// What `nvidia-smi` lists, by UUID; none where it is not there or cannot speak to a driver.
fn listed_by_the_driver() -> Option<Vec<String>> {
    let output = Command::new("nvidia-smi")
        .args(["--query-gpu=uuid", "--format=csv,noheader"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(str::trim);
    let found: Vec<_> = lines.filter(|line| line.starts_with("GPU-")).collect();
    Some(found.into_iter().map(str::to_owned).collect())
}

/// What the driver says in `/proc`, by UUID.
fn named_in_proc() -> Vec<String> {
    let dirs = std::fs::read_dir("/proc/driver/nvidia/gpus");
    let mut found: Vec<(std::path::PathBuf, String)> = dirs
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|dir| {
            let text = std::fs::read_to_string(dir.path().join("information")).ok()?;
            let uuid = text
                .lines()
                .find_map(|line| line.strip_prefix("GPU UUID:"))?;
            Some((dir.path(), uuid.trim().to_owned()))
        })
        .collect();
    // The folders are named by the bus, which is the order of the driver's own tools.
    found.sort();
    found.into_iter().map(|(_, uuid)| uuid).collect()
}

/// The machine's memory in bytes; no limit where it cannot be told.
fn memory() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::INFINITY, |kib| kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_cuda_reads_it() {
        assert_eq!(visible_devices("0,2"), ["0", "2"]);
        assert_eq!(visible_devices("GPU-a, GPU-b,-1,3"), ["GPU-a", "GPU-b"]);
        assert_eq!(visible_devices(""), [""; 0]);
    }
}
