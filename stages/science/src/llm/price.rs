//! What a call cost, and what it can cost, by the price table of the crate `genai-prices`.

use genai_prices::{Calculator, PriceRequest, Usage as Priced, UsageKey};
use kyobashi_stage::{Model, Price};

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

/// Bytes of English text in a token of today's vocabularies, about; code and other languages have fewer.
const BYTES_PER_TOKEN: f64 = 3.8;

/// What a call can cost before it is made: at least its prompt at the usual length of a token, at most one
/// token a byte (no byte-level vocabulary makes more), the most that pictures count for, and the longest reply that was asked for.
pub(super) fn between(
    model: &Model,
    server: &Provider,
    input_bytes: u64,
    most_of_pictures: u64,
    most_output: Option<u64>,
) -> Option<Price> {
    let usage = |input: u64, output: u64| Usage {
        input,
        output,
        ..Usage::default()
    };
    let least = usd(
        model,
        server,
        &usage((input_bytes as f64 / BYTES_PER_TOKEN) as u64, 0),
    )?;
    let most = usage(input_bytes + most_of_pictures, most_output?);
    let most = usd(model, server, &most)?;
    Some(Price::Between { least, most })
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
    fn the_bounds_of_a_call_hold_its_real_price() {
        let model = Model {
            provider: "openai".into(),
            id: "gpt-4o-2024-11-20".into(),
            endpoint: String::new(),
            settings: Default::default(),
        };
        let server = Providers::default().server(&model).unwrap();
        let real = Usage {
            input: 1000,
            output: 100,
            ..Usage::default()
        };
        let real = usd(&model, &server, &real).unwrap();
        match between(&model, &server, 3800, 0, Some(200)).unwrap() {
            Price::Between { least, most } => assert!(least < real && real < most),
            other => panic!("{other:?}"),
        }
        assert_eq!(
            between(&model, &server, 3800, 0, None),
            None,
            "no limit, no bound"
        );
    }

    #[test]
    fn a_million_tokens_each_way_have_their_list_price() {
        // $2.50 in, $1.25 cached, $10 out.
        assert!((price("openai", "gpt-4o-2024-11-20").unwrap() - 11.875).abs() < 1e-9);
        assert_eq!(price("ollama", "a-model-of-my-own"), None);
    }
}
