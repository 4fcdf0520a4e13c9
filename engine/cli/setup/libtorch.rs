//! Where libtorch comes from, in this order: the user's `LIBTORCH`; what was provided before; a Python
//! torch of exactly this version, found without importing it; else three wheels, fetched by pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{LIBTORCH_VERSION, Place, Progress, SetupError, on_path, wheels};

/// A libtorch of the right version.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The folder with `lib/` and `include/`: what `LIBTORCH` names.
    pub(crate) dir: PathBuf,
    /// Where it comes from, in words.
    pub(crate) origin: &'static str,
}

/// A libtorch that is here already.
///
/// # Errors
/// When the user's `LIBTORCH` is not the version that is needed.
pub(crate) fn find(place: &Place) -> Result<Option<Found>, SetupError> {
    let provided = provided(&place.home);
    // Cargo sets LIBTORCH to the folder of the next step when it starts us: that is no choice of the user's.
    let chosen = place
        .libtorch
        .as_ref()
        .filter(|chosen| !same(chosen, &provided));
    if let Some(dir) = chosen {
        return match version(dir).as_deref() {
            Some(found) if right(found) => Ok(Some(Found {
                dir: dir.clone(),
                origin: "LIBTORCH",
            })),
            Some(found) => Err(wrong(dir, &format!("is version {found}"))),
            None if dir.exists() => Err(wrong(dir, "does not say its version")),
            None => Err(wrong(dir, "does not exist")),
        };
    }
    if version(&provided).is_some_and(|found| right(&found)) {
        return Ok(Some(Found {
            dir: provided,
            origin: "provided before",
        }));
    }
    let python = python(place).filter(|dir| version(dir).is_some_and(|found| right(&found)));
    Ok(python.map(|dir| Found {
        dir,
        origin: "the torch of this machine's Python",
    }))
}

/// A libtorch that is here, or is fetched now.
///
/// # Errors
/// When none is here and none can be fetched.
pub(crate) fn provide(place: &Place, see: &mut dyn FnMut(Progress)) -> Result<Found, SetupError> {
    if let Some(found) = find(place)? {
        return Ok(found);
    }
    wheels::fetch(place, &place.home.join(".libtorch"), see)?;
    let dir = provided(&place.home);
    // The marker comes last: what was interrupted before it is done again.
    let marker = dir.join("build-version");
    fs::write(&marker, LIBTORCH_VERSION).map_err(SetupError::at("write", &marker))?;
    Ok(Found {
        dir,
        origin: "fetched by pip",
    })
}

fn provided(home: &Path) -> PathBuf {
    home.join(".libtorch/torch")
}

fn wrong(dir: &Path, what: &str) -> SetupError {
    SetupError::new(
        format!("LIBTORCH={}: it {what}", dir.display()),
        format!(
            "unset LIBTORCH to let `kyo setup` fetch {LIBTORCH_VERSION}, or point it to a libtorch {LIBTORCH_VERSION} \
             (its folder holds `build-version`)"
        ),
    )
}

fn same(one: &Path, other: &Path) -> bool {
    let plain = |path: &Path| {
        path.canonicalize()
            .or_else(|_| std::path::absolute(path))
            .ok()
    };
    plain(one) == plain(other)
}

/// `2.11.0`, `2.11.0+cpu` and `2.11.0+cu130` are one version.
fn right(found: &str) -> bool {
    found.split('+').next() == Some(LIBTORCH_VERSION)
}

/// The version that a libtorch or a Python torch says of itself, without loading it.
fn version(dir: &Path) -> Option<String> {
    if !dir.join("lib").is_dir() {
        return None;
    }
    if let Ok(text) = fs::read_to_string(dir.join("build-version")) {
        return Some(text.trim().to_owned());
    }
    let text = fs::read_to_string(dir.join("version.py")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("__version__"))?;
    Some(line.split('\'').nth(1)?.to_owned())
}

/// The torch of the machine's Python, without importing it.
fn python(place: &Place) -> Option<PathBuf> {
    let python = on_path("python3", place.path.as_ref())?;
    let script =
        "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    let origin = String::from_utf8(output.stdout).ok()?;
    let dir = Path::new(origin.trim()).parent()?.to_owned();
    // torch-sys reads headers and libraries from it.
    (dir.join("include").is_dir() && dir.join("lib/libtorch_cpu.so").is_file()).then_some(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(home: &Path, libtorch: Option<&Path>) -> Place {
        Place {
            home: home.to_owned(),
            libtorch: libtorch.map(Path::to_owned),
            path: None,
            cargo: PathBuf::from("cargo"),
        }
    }

    fn libtorch(dir: &Path, version: &str) {
        fs::create_dir_all(dir.join("lib")).unwrap();
        fs::write(dir.join("build-version"), version).unwrap();
    }

    #[test]
    fn a_libtorch_of_another_version_is_refused_with_a_remedy() {
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join("own");
        libtorch(&own, "2.10.0");
        let error = find(&place(home.path(), Some(&own))).unwrap_err();
        assert!(error.message.contains("2.10.0"), "{error}");
        assert!(error.help.contains(LIBTORCH_VERSION));
    }

    #[test]
    fn a_chosen_libtorch_wins_over_the_provided_one() {
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join("own");
        libtorch(&own, "2.11.0+cpu");
        libtorch(&provided(home.path()), "2.11.0");
        let found = find(&place(home.path(), Some(&own))).unwrap().unwrap();
        assert_eq!(found.dir, own);
    }

    #[test]
    fn what_cargo_sets_for_us_is_not_taken_for_a_choice() {
        let home = tempfile::tempdir().unwrap();
        let ours = provided(home.path());
        assert!(find(&place(home.path(), Some(&ours))).unwrap().is_none());
        libtorch(&ours, "2.11.0");
        assert_eq!(
            find(&place(home.path(), Some(&ours))).unwrap().unwrap().dir,
            ours
        );
    }
}
