//! A checked pipeline as bytes, so that the next command need not read and check it again.
//!
//! The bytes are for the very program that wrote them: no version, no compatibility. Whoever keeps them
//! sees to that, and to their being whole; what does not fit is none, never a panic. Stage types are
//! kept by name. Does not know where the bytes are kept.

mod parts;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use kyobashi_stage::{Port, Signature};

use super::same::Same;
use super::{Fan, Policy, Spec};

impl Spec {
    /// The pipeline as bytes.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut to = Writer::default();
        self.put(&mut to);
        to.bytes
    }

    /// The pipeline from its bytes; none where they are not those of a pipeline with these stage types.
    #[must_use]
    pub fn unpack(bytes: &[u8], signatures: &BTreeMap<String, Signature>) -> Option<Self> {
        let mut from = Reader::new(bytes, signatures);
        Self::take(&mut from).filter(|_| from.rest.is_empty())
    }
}

/// Something as bytes of its own, which share no text with any others.
pub(super) fn apart(own: &impl Packed) -> Vec<u8> {
    let mut to = Writer::default();
    own.put(&mut to);
    to.bytes
}

/// What [`apart`] made bytes of; none where the bytes are no such thing.
pub(super) fn alone<T: Packed>(bytes: &[u8]) -> Option<T> {
    let signatures = BTreeMap::new();
    let mut from = Reader::new(bytes, &signatures);
    T::take(&mut from).filter(|_| from.rest.is_empty())
}

/// What has a form in bytes.
pub(super) trait Packed: Sized {
    fn put(&self, to: &mut Writer);
    fn take(from: &mut Reader<'_>) -> Option<Self>;
}

#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Texts that stand in many places, by their number.
    texts: BTreeMap<Arc<str>, u64>,
    lists: BTreeMap<Arc<Vec<String>>, u64>,
    fans: Same<Fan>,
    policies: Same<Policy>,
    ports: Same<Vec<Port>>,
}

pub(super) struct Reader<'b> {
    rest: &'b [u8],
    texts: Vec<Arc<str>>,
    lists: Vec<Arc<Vec<String>>>,
    signatures: &'b BTreeMap<String, Signature>,
    used: BTreeMap<String, Arc<Signature>>,
    fans: Same<Fan>,
    policies: Same<Policy>,
    ports: Same<Vec<Port>>,
}

impl Writer {
    /// A number in as few bytes as it needs, seven bits each.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

impl<'b> Reader<'b> {
    fn new(rest: &'b [u8], signatures: &'b BTreeMap<String, Signature>) -> Self {
        Self {
            rest,
            texts: Vec::new(),
            lists: Vec::new(),
            signatures,
            used: BTreeMap::new(),
            fans: Same::default(),
            policies: Same::default(),
            ports: Same::default(),
        }
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A count of things that follow, each of at least one byte.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }
}

/// The form of a struct: its fields in order. A field that is forgotten here does not compile.
macro_rules! form {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl Packed for $name {
            fn put(&self, to: &mut Writer) {
                let Self { $($field),* } = self;
                $($field.put(to);)*
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                $(let $field = Packed::take(from)?;)*
                Some(Self { $($field),* })
            }
        }
    };
}

/// The form of an enum: a number for each variant, then its parts.
macro_rules! forms {
    ($name:ident { $($number:literal $variant:ident
        $(($($part:ident),*))? $({$($field:ident),*})?;)* }) => {
        impl Packed for $name {
            fn put(&self, to: &mut Writer) {
                match self {
                    $(Self::$variant $(($($part),*))? $({$($field),*})? => {
                        to.bytes.push($number);
                        $($($part.put(to);)*)?
                        $($($field.put(to);)*)?
                    })*
                }
            }

            fn take(from: &mut Reader<'_>) -> Option<Self> {
                match u8::take(from)? {
                    $($number => {
                        $($(let $part = Packed::take(from)?;)*)?
                        $($(let $field = Packed::take(from)?;)*)?
                        Some(Self::$variant $(($($part),*))? $({$($field),*})?)
                    })*
                    _ => None,
                }
            }
        }
    };
}

use {form, forms};
