//! Numbers, texts, collections and JSON values as bytes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Number, Value};

use super::{Packed, Reader, Writer};

impl Packed for u8 {
    fn put(&self, to: &mut Writer) {
        to.bytes.push(*self);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.bytes(1).map(|bytes| bytes[0])
    }
}

impl Packed for bool {
    fn put(&self, to: &mut Writer) {
        u8::from(*self).put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        u8::take(from).map(|byte| byte != 0)
    }
}

impl Packed for u32 {
    fn put(&self, to: &mut Writer) {
        to.number(u64::from(*self));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.number()?.try_into().ok()
    }
}

impl Packed for usize {
    fn put(&self, to: &mut Writer) {
        to.number(*self as u64);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        from.number()?.try_into().ok()
    }
}

impl Packed for u64 {
    fn put(&self, to: &mut Writer) {
        to.bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let bytes = from.bytes(8)?.try_into().ok()?;
        Some(Self::from_le_bytes(bytes))
    }
}

impl Packed for i64 {
    fn put(&self, to: &mut Writer) {
        self.cast_unsigned().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        u64::take(from).map(u64::cast_signed)
    }
}

impl Packed for f64 {
    fn put(&self, to: &mut Writer) {
        self.to_bits().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        u64::take(from).map(Self::from_bits)
    }
}

impl Packed for Duration {
    fn put(&self, to: &mut Writer) {
        self.as_secs().put(to);
        self.subsec_nanos().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let (seconds, nanos) = (u64::take(from)?, u32::take(from)?);
        (nanos < 1_000_000_000).then(|| Self::new(seconds, nanos))
    }
}

impl Packed for String {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        to.bytes.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        let text = std::str::from_utf8(from.bytes(count)?).ok()?;
        Some(text.to_owned())
    }
}

/// A text that many places share: written once, then by its number.
impl Packed for Arc<str> {
    fn put(&self, to: &mut Writer) {
        let next = to.texts.len() as u64;
        if let Some(known) = to.texts.get(self) {
            let known = *known;
            return to.number(known + 1);
        }
        to.texts.insert(Arc::clone(self), next);
        to.number(0);
        self.as_ref().to_owned().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        match from.number()?.checked_sub(1) {
            Some(known) => from.texts.get(usize::try_from(known).ok()?).cloned(),
            None => {
                let text: Self = String::take(from)?.into();
                from.texts.push(Self::clone(&text));
                Some(text)
            }
        }
    }
}

/// A list that many places share, in the same way.
impl Packed for Arc<Vec<String>> {
    fn put(&self, to: &mut Writer) {
        let next = to.lists.len() as u64;
        if let Some(known) = to.lists.get(self) {
            let known = *known;
            return to.number(known + 1);
        }
        to.lists.insert(Self::clone(self), next);
        to.number(0);
        self.as_ref().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        match from.number()?.checked_sub(1) {
            Some(known) => from.lists.get(usize::try_from(known).ok()?).cloned(),
            None => {
                let list = Self::new(Vec::take(from)?);
                from.lists.push(Self::clone(&list));
                Some(list)
            }
        }
    }
}

impl Packed for PathBuf {
    fn put(&self, to: &mut Writer) {
        let bytes = self.as_os_str().as_bytes();
        to.number(bytes.len() as u64);
        to.bytes.extend_from_slice(bytes);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        Some(OsString::from_vec(from.bytes(count)?.to_vec()).into())
    }
}

impl<T: Packed> Packed for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(inner) = self {
            inner.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(match bool::take(from)? {
            true => Some(T::take(from)?),
            false => None,
        })
    }
}

impl<T: Packed> Packed for Box<T> {
    fn put(&self, to: &mut Writer) {
        self.as_ref().put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        T::take(from).map(Self::new)
    }
}

impl<A: Packed, B: Packed> Packed for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        self.iter().for_each(|item| item.put(to));
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        let mut items = Self::with_capacity(count);
        for _ in 0..count {
            items.push(T::take(from)?);
        }
        Some(items)
    }
}

impl<K: Packed + Ord, V: Packed> Packed for BTreeMap<K, V> {
    fn put(&self, to: &mut Writer) {
        to.number(self.len() as u64);
        for (key, value) in self {
            key.put(to);
            value.put(to);
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        // Collected first: what is in order becomes a map at one go.
        Vec::take(from).map(|pairs: Vec<(K, V)>| pairs.into_iter().collect())
    }
}

impl Packed for Value {
    fn put(&self, to: &mut Writer) {
        match self {
            Self::Null => 0_u8.put(to),
            Self::Bool(truth) => (1 + u8::from(*truth)).put(to),
            Self::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(whole), _) => (3_u8, whole).put(to),
                (None, Some(whole)) => (4_u8, whole).put(to),
                // A number that is neither is a float.
                (None, None) => (5_u8, number.as_f64().unwrap_or_default()).put(to),
            },
            Self::String(text) => {
                6_u8.put(to);
                text.put(to);
            }
            Self::Array(items) => {
                7_u8.put(to);
                items.put(to);
            }
            Self::Object(fields) => {
                8_u8.put(to);
                to.number(fields.len() as u64);
                for (name, value) in fields {
                    name.put(to);
                    value.put(to);
                }
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Option<Self> {
        Some(match u8::take(from)? {
            0 => Self::Null,
            1 => Self::Bool(false),
            2 => Self::Bool(true),
            3 => Self::Number(u64::take(from)?.into()),
            4 => Self::Number(i64::take(from)?.into()),
            5 => Self::Number(Number::from_f64(f64::take(from)?)?),
            6 => Self::String(Packed::take(from)?),
            7 => Self::Array(Packed::take(from)?),
            8 => {
                let fields: Vec<(String, Self)> = Packed::take(from)?;
                Self::Object(fields.into_iter().collect::<Map<_, _>>())
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{alone, apart};
    use super::*;
    use serde_json::json;

    fn back<T: Packed>(value: &T) -> Option<T> {
        alone(&apart(value))
    }

    #[test]
    fn values_come_back_as_they_were() {
        let value =
            json!({"a": [1, -1, 1.0, 1e-300, u64::MAX, i64::MIN, null, true, "é"], "b": {}});
        assert_eq!(back(&value), Some(value));
        for number in [0, 127, 128, 300, u32::MAX] {
            assert_eq!(back(&number), Some(number));
        }
        let shared: Vec<Arc<str>> = vec!["a".into(), "b".into(), "a".into()];
        assert_eq!(back(&shared), Some(shared));
        let list = Arc::new(vec!["sh".to_owned(), "-c".to_owned()]);
        let lists = vec![list.clone(), Arc::default(), list];
        assert_eq!(back(&lists), Some(lists));
        let map = BTreeMap::from([("x".to_owned(), Some(0.1)), ("y".to_owned(), None)]);
        assert_eq!(back(&map), Some(map));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let bytes = apart(&vec![json!("abc"), json!([1, 2])]);
        for end in 0..bytes.len() {
            assert_eq!(alone::<Vec<Value>>(&bytes[..end]), None, "{end}");
        }
    }
}
