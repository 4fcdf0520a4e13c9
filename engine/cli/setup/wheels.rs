//! Fetches libtorch out of three wheels of the Python registry. pip is the client, so that the user's own
//! index, proxy and certificates apply. Every file is checked against its wheel's RECORD.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{LIBTORCH_VERSION, Place, Progress, SetupError, on_path};

/// Beside torch itself, what libtorch_cpu.so of the CUDA wheel loads even where no GPU is.
const WHEELS: &[&str] = &[
    "torch==2.11.0",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cuda-cupti==13.0.85",
];

/// About what the wheels weigh together, bytes.
const DOWNLOAD: u64 = 544_000_000;

/// The libraries that the CPU needs; the rest of a wheel (CUDA, Python) stays out.
const LIBRARIES: &[&str] = &[
    "torch/lib/libc10.so",
    "torch/lib/libgomp.so.1",
    "torch/lib/libtorch.so",
    "torch/lib/libtorch_cpu.so",
    "torch/lib/libtorch_global_deps.so",
    "nvidia/cu13/lib/libcudart.so.13",
    "nvidia/cu13/lib/libcupti.so.13",
];

/// Fetches the wheels, unpacks what is needed into `target`, and leaves no wheel behind. What an
/// interrupted call left is removed first.
///
/// # Errors
/// When Python or pip is missing, the registry does not answer, or a file is not what its wheel says.
pub(super) fn fetch(
    place: &Place,
    target: &Path,
    see: &mut dyn FnMut(Progress),
) -> Result<(), SetupError> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(SetupError::new(
            "libtorch can be fetched for Linux on x86-64 only",
            format!("set LIBTORCH to a libtorch {LIBTORCH_VERSION} for this machine"),
        ));
    }
    let fresh = target.with_extension("part");
    remove(&fresh)?;
    let downloads = fresh.join("wheels");
    fs::create_dir_all(&downloads).map_err(SetupError::at("make the folder", &downloads))?;
    download(place, &downloads, see)?;
    see(Progress::Step(
        "unpacking libtorch and checking every file".to_owned(),
    ));
    let wheels = files(&downloads, "whl")?;
    if wheels.len() != WHEELS.len() {
        return Err(SetupError::new(
            format!("pip fetched {} of {} wheels", wheels.len(), WHEELS.len()),
            "run `kyo setup` again",
        ));
    }
    let total = wheels
        .iter()
        .filter_map(|wheel| wheel.metadata().ok())
        .map(|meta| meta.len())
        .sum();
    let mut done = 0;
    for wheel in &wheels {
        unpack(wheel, &fresh)?;
        done += wheel.metadata().map_or(0, |meta| meta.len());
        see(Progress::Bytes { done, total });
    }
    for library in LIBRARIES {
        if !fresh.join(library).is_file() {
            return Err(SetupError::new(
                format!("the wheels do not hold {library}"),
                format!("set LIBTORCH to a libtorch {LIBTORCH_VERSION}"),
            ));
        }
    }
    remove(&downloads)?;
    remove(target)?;
    fs::rename(&fresh, target).map_err(SetupError::at("make", target))
}

fn download(
    place: &Place,
    downloads: &Path,
    see: &mut dyn FnMut(Progress),
) -> Result<(), SetupError> {
    let Some(python) = on_path("python3", place.path.as_ref()) else {
        return Err(SetupError::new(
            "python3 is not on PATH, and libtorch is fetched with its pip",
            format!("install Python 3 with pip, or set LIBTORCH to a libtorch {LIBTORCH_VERSION}"),
        ));
    };
    see(Progress::Step(format!(
        "fetching libtorch {LIBTORCH_VERSION} with pip"
    )));
    let log = downloads.join("pip.log");
    let out = File::create(&log).map_err(SetupError::at("write", &log))?;
    let errors = out.try_clone().map_err(SetupError::at("write", &log))?;
    let mut pip = Command::new(python)
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--no-cache-dir",
        ])
        .args([
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
            "--dest",
        ])
        .arg(downloads)
        .args(WHEELS)
        // pip downloads there first: the bar watches it grow.
        .env("TMPDIR", downloads)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(errors)
        .spawn()
        .map_err(|error| SetupError::new(format!("cannot start pip: {error}"), "install pip"))?;
    let status = loop {
        match pip.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {
                see(Progress::Bytes {
                    done: size(downloads).min(DOWNLOAD),
                    total: DOWNLOAD,
                });
                std::thread::sleep(Duration::from_millis(200));
            }
            Err(error) => {
                return Err(SetupError::new(
                    format!("pip was lost: {error}"),
                    "run it again",
                ));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let last: Vec<_> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = last[last.len().saturating_sub(6)..].join("\n");
    Err(SetupError::new(
        format!("pip could not fetch libtorch ({status}):\n{last}"),
        format!("mend what pip says, or set LIBTORCH to a libtorch {LIBTORCH_VERSION}"),
    ))
}

/// Whether a member of a wheel is needed.
fn needed(name: &str) -> bool {
    LIBRARIES.contains(&name)
        || name.starts_with("torch/include/")
        || name == "torch/version.py"
        || name.contains(".dist-info/")
            && (name.contains("LICENSE") || name.ends_with("License.txt"))
}

fn unpack(wheel: &Path, target: &Path) -> Result<(), SetupError> {
    let broken = |error: zip::result::ZipError| {
        SetupError::new(
            format!("{}: {error}", wheel.display()),
            "run `kyo setup` again",
        )
    };
    let file = File::open(wheel).map_err(SetupError::at("read", wheel))?;
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let record = record(&mut archive).ok_or_else(|| {
        SetupError::new(
            format!("{} has no RECORD", wheel.display()),
            "run `kyo setup` again",
        )
    })?;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(broken)?;
        let name = member.name().map_err(broken)?.into_owned();
        // A name that leads out of the folder is none that is needed.
        let Some(inside) = member.enclosed_name() else {
            continue;
        };
        if member.is_dir() || !needed(&name) {
            continue;
        }
        let path = target.join(inside);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(SetupError::at("make the folder", parent))?;
        }
        let digest = copy(&mut member, &path)?;
        if record.get(&name) != Some(&digest) {
            return Err(SetupError::new(
                format!("{name} is not what {} says it is", wheel.display()),
                "the download is damaged: run `kyo setup` again",
            ));
        }
    }
    Ok(())
}

/// File → sha256 in URL-safe base64, as a wheel's RECORD has it.
fn record(archive: &mut ZipArchive<File>) -> Option<BTreeMap<String, String>> {
    let mut names = archive.file_names().filter_map(Result::ok);
    let name = names
        .find(|name| name.ends_with(".dist-info/RECORD"))?
        .into_owned();
    drop(names);
    let mut text = String::new();
    archive
        .by_name(&name)
        .ok()?
        .read_to_string(&mut text)
        .ok()?;
    let lines = text.lines().filter_map(|line| {
        let (rest, _size) = line.rsplit_once(',')?;
        let (file, digest) = rest.rsplit_once(',')?;
        Some((
            file.trim_matches('"').to_owned(),
            digest.strip_prefix("sha256=")?.to_owned(),
        ))
    });
    Some(lines.collect())
}

/// Copies a member and returns its sha256.
fn copy(member: &mut impl Read, path: &Path) -> Result<String, SetupError> {
    let failed = SetupError::at("write", path);
    let mut out = File::create(path).map_err(&failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = member.read(&mut buffer).map_err(&failed)?;
        if count == 0 {
            return Ok(URL_SAFE_NO_PAD.encode(hash.finalize()));
        }
        hash.update(&buffer[..count]);
        out.write_all(&buffer[..count]).map_err(&failed)?;
    }
}

fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, SetupError> {
    let entries = fs::read_dir(dir).map_err(SetupError::at("read", dir))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|own| own == extension))
        .collect();
    files.sort();
    Ok(files)
}

/// Bytes in a folder, as far as they can be seen while others write there.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

fn remove(path: &Path) -> Result<(), SetupError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SetupError::at("remove", path)(error))
        }
        _ => Ok(()),
    }
}
