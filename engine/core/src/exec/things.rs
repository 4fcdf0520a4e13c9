//! What an attempt has of indexed pools, as environment variables: graphics processors in the form that
//! CUDA reads, things of the user's own by the name of their pool.

use std::collections::BTreeMap;

/// `gpu` → `CUDA_VISIBLE_DEVICES`, numbered as the driver's own tools do; `port` → `KYO_PORT`. Several
/// things are separated by commas. An attempt that asked for no GPU is told nothing of them: it sees
/// what `kyo` sees.
pub(super) fn variables(things: &BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for (pool, names) in things {
        let names = names.join(",");
        if pool == "gpu" {
            variables.push(("CUDA_VISIBLE_DEVICES".to_owned(), names));
            variables.push(("CUDA_DEVICE_ORDER".to_owned(), "PCI_BUS_ID".to_owned()));
        } else {
            let word = pool.chars().map(|c| match c.is_ascii_alphanumeric() {
                true => c.to_ascii_uppercase(),
                false => '_',
            });
            variables.push((format!("KYO_{}", word.collect::<String>()), names));
        }
    }
    variables
}
