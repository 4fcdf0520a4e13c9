//! Which models a server of this machine has, by the list that OpenAI-compatible servers give. Nothing is
//! asked of servers elsewhere.

use std::time::Duration;

use serde_json::Value;

/// How long a server of this machine is waited for.
const PATIENCE: Duration = Duration::from_millis(800);

/// The ids of the models at a base URL such as `http://127.0.0.1:11434/v1`, in the server's order; none if
/// no such server answers there.
#[must_use]
pub fn served(base_url: &str) -> Option<Vec<String>> {
    // Another provider may already be installed by whoever links this crate; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .ok()?;
    let url = format!("{}/models", base_url.trim_end_matches('/'));
    let answer = client.get(url).send().ok()?;
    let list: Value = serde_json::from_str(&answer.text().ok()?).ok()?;
    let models = list["data"].as_array()?;
    let ids = models.iter().filter_map(|model| model["id"].as_str());
    Some(ids.map(str::to_owned).collect())
}
