//! What the results say of one value: the number itself, its interval and how many runs it rests on.
//! Summaries (`{mean, ci, n}`) and comparisons (`{difference, ci, baseline, trial}`) are understood.

use serde_json::Value;

use crate::numbers::lookup::Found;

/// A value with what is known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// The value as it stands in the results.
    pub(crate) value: Value,
    pub(crate) ci: Option<[f64; 2]>,
    pub(crate) n: Option<u64>,
    pub(crate) unit: Option<String>,
    /// Whether the reference named the whole object, so that the interval is shown too.
    pub(crate) whole: bool,
}

/// The keys of the main value of an object, in the order of preference.
const MAIN: [&str; 2] = ["mean", "difference"];

/// # Errors
/// What stands there instead of a value, as a lower-case fragment.
pub(crate) fn measure(found: Found<'_>) -> Result<Measure, String> {
    let (value, holder, whole) = match found.value {
        Value::Object(object) => {
            let main = MAIN.iter().find_map(|key| object.get(*key));
            let Some(main) = main else {
                let keys: Vec<&str> = object.keys().map(String::as_str).take(8).collect();
                return Err(format!(
                    "is an object without `mean` or `difference`; its keys are {}",
                    keys.join(", ")
                ));
            };
            (main, Some(found.value), true)
        }
        Value::Array(_) => return Err("is a list, not a value".to_owned()),
        value => {
            let holder = found.parent.filter(|_| MAIN.contains(&found.key));
            (value, holder, false)
        }
    };
    if value.is_null() {
        return Err("is null: it was not measured".to_owned());
    }
    let about = holder.or(found.parent);
    Ok(Measure {
        value: value.clone(),
        ci: holder.and_then(|holder| interval(holder.get("ci")?)),
        n: about.and_then(runs),
        unit: about
            .and_then(|about| about.get("unit")?.as_str())
            .map(str::to_owned),
        whole,
    })
}

fn interval(value: &Value) -> Option<[f64; 2]> {
    match value.as_array()?.as_slice() {
        [low, high] => Some([low.as_f64()?, high.as_f64()?]),
        _ => None,
    }
}

/// `n` of a summary; of a comparison that of its smaller side.
fn runs(value: &Value) -> Option<u64> {
    let side = |name: &str| value.get(name)?.get("n")?.as_u64();
    value
        .get("n")
        .and_then(Value::as_u64)
        .or_else(|| Some(side("baseline")?.min(side("trial")?)))
}
