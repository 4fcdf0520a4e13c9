//! Pictures in a question. What is sent holds their bytes; what enters a key, their digest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kyobashi_stage::{Call, Datum, Failure};

/// The largest picture that every provider takes, in bytes.
const MOST: usize = 5 << 20;

/// The most tokens that a picture counts for at any of the known models, about.
pub(super) const TOKENS: u64 = 50_000;

/// A picture as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub(super) mime: &'static str,
    /// The bytes in base64; in the form for keys, the digest.
    pub(super) data: String,
    digest: String,
}

impl Image {
    /// The form that enters a key.
    pub(super) fn named(&self) -> Self {
        Self {
            data: format!("blake3:{}", self.digest),
            ..self.clone()
        }
    }

    /// As a URL that holds the picture itself.
    pub(super) fn url(&self) -> String {
        format!("data:{};base64,{}", self.mime, self.data)
    }
}

/// The pictures under `images:` of a call.
///
/// # Errors
/// If one cannot be read, is too large, or of a kind that models do not read.
pub(super) fn images(call: &Call) -> Result<Vec<Image>, Failure> {
    if !call.has("images") {
        return Ok(Vec::new());
    }
    let members = call.datum("images")?.members();
    let members = members.into_iter().enumerate();
    members
        .map(|(index, datum)| image(index + 1, datum))
        .collect()
}

/// The picture at a place, from 1.
fn image(place: usize, datum: &Datum) -> Result<Image, Failure> {
    let Datum::File { path, digest } = datum else {
        return Err(Failure::bug("`images` holds what is no file"));
    };
    let bytes = std::fs::read(path)?;
    if bytes.len() > MOST {
        return Err(Failure::new(format!(
            "picture {place} under `images:` is too large for a model: {} bytes, at most {MOST}",
            bytes.len()
        ))
        .help("make the picture smaller"));
    }
    let mime = mime(&bytes).ok_or_else(|| {
        Failure::new(format!("{} is no picture that models read", path.display()))
            .help("`images:` takes PNG, JPEG, GIF and WebP")
    })?;
    Ok(Image {
        mime,
        data: STANDARD.encode(&bytes),
        digest: digest.clone(),
    })
}

/// The kind of a picture by its first bytes.
fn mime(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}
