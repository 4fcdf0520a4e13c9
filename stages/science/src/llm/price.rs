//! What a call cost, by the price table of the crate `genai-prices`.

use genai_prices::{Calculator, PriceRequest, Usage as Priced, UsageKey};
use kyobashi_stage::Model;

use super::ask::Usage;
use super::provider::Provider;

/// US dollars; none where the table has no price for the model.
pub(super) fn usd(model: &Model, server: &Provider, usage: &Usage) -> Option<f64> {
    let mut priced = Priced::from([
        (UsageKey::INPUT_TOKENS, usage.input as f64),
        (UsageKey::OUTPUT_TOKENS, usage.output as f64),
    ]);
    for (key, tokens) in [
        ("cache_read_tokens", usage.cached),
        ("cache_write_tokens", usage.cache_write),
    ] {
        if tokens > 0 {
            priced.insert(key, tokens as f64);
        }
    }
    let identity = server.identity();
    let asked = PriceRequest::new(&model.id, &priced).with_provider_api_url(&identity);
    Calculator::bundled()
        .calculate(&asked)
        .ok()
        .map(|price| price.total_price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Providers;

    fn price(provider: &str, id: &str) -> Option<f64> {
        let model = Model {
            provider: provider.into(),
            id: id.into(),
            endpoint: String::new(),
            settings: Default::default(),
        };
        let server = Providers::default().server(&model).unwrap();
        let usage = Usage {
            input: 1_000_000,
            output: 1_000_000,
            cached: 500_000,
            ..Usage::default()
        };
        usd(&model, &server, &usage)
    }

    #[test]
    fn a_million_tokens_each_way_have_their_list_price() {
        // $2.50 in, $1.25 cached, $10 out.
        assert!((price("openai", "gpt-4o-2024-11-20").unwrap() - 11.875).abs() < 1e-9);
        assert_eq!(price("ollama", "a-model-of-my-own"), None);
    }
}
