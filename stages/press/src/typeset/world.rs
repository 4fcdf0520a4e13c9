//! What Typst may see: the sources and figures of one paper, in memory. No disk, no network, no clock,
//! no fonts but the embedded ones.

use std::collections::HashMap;
use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// The paper's own template and its mathematics.
const TEMPLATE: &str = include_str!("template.typ");
const MATHS: &str = include_str!("maths.typ");

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    typst_assets::fonts()
        .flat_map(|data| Font::iter(Bytes::new(data)))
        .collect()
});
static BOOK: LazyLock<LazyHash<FontBook>> =
    LazyLock::new(|| LazyHash::new(FontBook::from_fonts(FONTS.iter())));

/// The fonts that papers and figures are set in.
pub(crate) fn fonts() -> &'static [Font] {
    &FONTS
}

/// Whether any font has a sign; without one, an empty box would be printed.
pub(crate) fn has_sign(sign: char) -> bool {
    (sign.is_ascii() && !sign.is_ascii_control())
        || FONTS
            .iter()
            .any(|font| font.info().coverage.contains(sign.into()))
}

/// The files of one paper.
pub(crate) struct Memory {
    main: FileId,
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
}

impl Memory {
    /// A paper with its main source.
    pub(crate) fn new(main: String) -> Self {
        let mut memory = Self {
            main: id("main.typ"),
            sources: HashMap::new(),
            files: HashMap::new(),
        };
        let sources = [
            ("main.typ", main),
            ("template.typ", TEMPLATE.to_owned()),
            ("maths.typ", MATHS.to_owned()),
        ];
        for (name, text) in sources {
            memory.sources.insert(id(name), Source::new(id(name), text));
        }
        memory
    }

    /// Adds a file under a name that the main source uses.
    pub(crate) fn add(&mut self, name: &str, content: Vec<u8>) {
        self.files.insert(id(name), Bytes::new(content));
    }

    /// Whether a place of a diagnostic lies in the main source.
    pub(crate) fn is_main(&self, file: Option<FileId>) -> bool {
        file == Some(self.main)
    }
}

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("names of the press's own files are plain");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

impl World for Memory {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &BOOK
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| missing(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| missing(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn missing(id: FileId) -> FileError {
    FileError::NotFound(id.get().vpath().get_without_slash().into())
}
