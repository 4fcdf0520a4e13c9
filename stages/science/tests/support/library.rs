//! Libraries in this process, which refuse what the real ones refuse and answer in the shapes that these
//! document.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tiny_http::{Header, Method, Response, Server};

/// Status, `Retry-After`, body.
pub(crate) type Said = (u16, Option<&'static str>, String);

/// Path and query of a request, and its headers.
pub(crate) type Seen = (String, BTreeMap<String, String>);

/// A library that plays a list of answers, and then says 410.
pub(crate) struct Library {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Library {
    pub(crate) fn start(answers: Vec<Said>) -> Self {
        let server = Server::http("127.0.0.1:0").unwrap();
        let url = format!("http://{}", server.server_addr());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let journal = seen.clone();
        std::thread::spawn(move || {
            let mut answers = VecDeque::from(answers);
            for request in server.incoming_requests() {
                let headers = request.headers().iter();
                let headers: BTreeMap<String, String> = headers
                    .map(|header| {
                        (
                            header.field.to_string().to_lowercase(),
                            header.value.to_string(),
                        )
                    })
                    .collect();
                let polite = headers
                    .get("user-agent")
                    .is_some_and(|agent| agent.starts_with("kyobashi/"));
                let right = *request.method() == Method::Get && polite;
                journal
                    .lock()
                    .unwrap()
                    .push((request.url().to_owned(), headers));
                let (status, retry, body) = match right {
                    true => answers
                        .pop_front()
                        .unwrap_or((410, None, "no more".to_owned())),
                    false => (400, None, "not a request that a library takes".to_owned()),
                };
                let mut response = Response::from_string(body).with_status_code(status);
                if let Some(retry) = retry {
                    response.add_header(Header::from_bytes("Retry-After", retry).unwrap());
                }
                let _ = request.respond(response);
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(url, _)| url.clone())
            .collect()
    }

    /// The decoded parameters of a request.
    pub(crate) fn query(&self, number: usize) -> BTreeMap<String, String> {
        let url = reqwest::Url::parse(&format!("http://x{}", self.seen()[number])).unwrap();
        url.query_pairs().into_owned().collect()
    }
}

pub(crate) fn semantic_scholar() -> String {
    json!({"total": 211, "offset": 0, "next": 2, "data": [
        {"paperId": "5c126ae3421f05768d8edd97ecd44b1364e2c99a", "externalIds": {"DBLP": "conf/nips/HoJA20", "ArXiv": "2006.11239", "CorpusId": 219955663},
         "url": "https://www.semanticscholar.org/paper/5c12", "title": "Denoising Diffusion Probabilistic Models",
         "abstract": "We present high quality image synthesis results\nusing diffusion.", "venue": "Neural Information Processing Systems",
         "year": 2020, "citationCount": 21000, "authors": [{"authorId": "2126278", "name": "Jonathan Ho"}, {"authorId": "1", "name": "Ajay Jain"}]},
        {"paperId": "x", "externalIds": null, "url": "https://www.semanticscholar.org/paper/x", "title": "Without an abstract",
         "abstract": null, "venue": "", "year": null, "citationCount": 0, "authors": []}]})
    .to_string()
}

pub(crate) fn openalex() -> String {
    json!({"meta": {"count": 4, "db_response_time_ms": 20, "page": 1, "per_page": 2, "groups_count": null}, "results": [
        {"id": "https://openalex.org/W3036167779", "doi": "https://doi.org/10.48550/arxiv.2006.11239", "display_name": "Denoising Diffusion Probabilistic Models",
         "publication_year": 2020, "cited_by_count": 512, "authorships": [{"author_position": "first", "author": {"id": "https://openalex.org/A1", "display_name": "Jonathan Ho", "orcid": null}}],
         "primary_location": {"is_oa": true, "source": {"id": "https://openalex.org/S1", "display_name": "arXiv (Cornell University)"}},
         "abstract_inverted_index": {"We": [0], "present": [1, 3], "what": [2]}},
        {"id": "https://openalex.org/W2", "doi": null, "display_name": "No place", "publication_year": 2019, "cited_by_count": 0,
         "authorships": [], "primary_location": null, "abstract_inverted_index": null}]})
    .to_string()
}

pub(crate) const ARXIV: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <link href="http://arxiv.org/api/query?search_query%3Dall%3Adual" rel="self" type="application/atom+xml"/>
  <title type="html">ArXiv Query: search_query=all:dual</title>
  <id>http://arxiv.org/api/cHxbiOdZaP56ODnBPIenZhzg5f8</id>
  <updated>2026-11-23T00:00:00-05:00</updated>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1</opensearch:totalResults>
  <entry>
    <id>http://arxiv.org/abs/2006.11239v2</id>
    <updated>2020-12-16T21:15:05Z</updated>
    <published>2020-06-19T17:24:44Z</published>
    <title>Denoising Diffusion
  Probabilistic Models</title>
    <summary>  We present high quality image &amp; synthesis.
</summary>
    <author><name>Jonathan Ho</name></author>
    <author><name>Ajay Jain</name></author>
    <arxiv:journal_ref xmlns:arxiv="http://arxiv.org/schemas/atom">NeurIPS 2020</arxiv:journal_ref>
    <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
  </entry>
</feed>"#;

pub(crate) fn crossref() -> String {
    json!({"status": "ok", "message-type": "work-list", "message-version": "1.0.0", "message": {"facets": {}, "total-results": 3, "items": [
        {"DOI": "10.1109/cvpr.2022.1", "URL": "https://doi.org/10.1109/cvpr.2022.1", "title": ["High-Resolution Image Synthesis"],
         "author": [{"given": "Robin", "family": "Rombach", "sequence": "first", "affiliation": []}], "container-title": ["2022 IEEE CVPR"],
         "issued": {"date-parts": [[2022, 6]]}, "is-referenced-by-count": 9000, "abstract": "<jats:p>By decomposing &amp; so on</jats:p>"},
        {"DOI": "10.1/2", "title": []}], "items-per-page": 2, "query": {"start-index": 0, "search-terms": null}}})
    .to_string()
}
