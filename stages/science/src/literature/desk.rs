//! Where questions to the literature are asked: a folder first, then one library after another, all
//! before one deadline.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kyobashi_stage::{Call, Context, Failure, Outbox, Port, Price, Reply, Request};
use serde::Serialize;
use serde_json::json;

use super::arxiv::Arxiv;
use super::crossref::Crossref;
use super::fetch::{Get, Line, rest};
use super::folder::Folder;
use super::library::{Access, Library, Paper, Question};
use super::openalex::OpenAlex;
use super::semantic_scholar::SemanticScholar;

/// Every library, in the order in which they are asked.
const ALL: [&dyn Library; 4] = [&SemanticScholar, &OpenAlex, &Arxiv, &Crossref];

/// No library is asked for more at once.
const MOST_RESULTS: usize = 100;

/// Where a stage asks.
pub(crate) struct Desk {
    folder: Option<Folder>,
    libraries: Vec<&'static dyn Library>,
    servers: BTreeMap<String, String>,
    mailto: Option<String>,
    most: usize,
    /// Until when anything may be waited for.
    until: Instant,
    line: Line,
    /// Libraries that were given up, and why: they are not asked again by this stage.
    away: RefCell<BTreeMap<&'static str, String>>,
    /// When each library was asked last.
    asked: RefCell<BTreeMap<&'static str, Instant>>,
}

/// What came of one question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Found {
    pub(crate) papers: Vec<Paper>,
    /// Who answered, if only that there is nothing.
    pub(crate) answered: Vec<String>,
    /// Who did not, and why.
    pub(crate) failed: BTreeMap<String, String>,
}

/// The settings by which a stage says where it asks.
pub(crate) fn settings() -> Vec<Port> {
    vec![
        Port::or(
            "engine",
            "str",
            "none",
            "who is asked over the network: none; semantic_scholar, openalex, arxiv, crossref; or cascade, these four in turn",
        ),
        Port::new(
            "folder",
            "dir?",
            "BibTeX and texts of one's own, searched without a network",
        ),
        Port::or("results", "int", 10, "papers of one answer at most"),
        Port::or(
            "deadline",
            "float",
            120.0,
            "seconds that all questions of this stage may take together",
        ),
        Port::or(
            "servers",
            "json",
            json!({}),
            "base URLs in place of the public ones, by engine",
        ),
        Port::new(
            "mailto",
            "str?",
            "an address that polite servers may write to",
        ),
    ]
}

impl Desk {
    /// Reads [`settings`].
    ///
    /// # Errors
    /// An engine that there is not, or a folder that cannot be read.
    pub(crate) fn open(call: &Call) -> Result<Self, Failure> {
        Self::with(call, call.get("results")?)
    }

    /// The same for a stage in which `results` means something else: `most` papers of one answer.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub(crate) fn with(call: &Call, most: usize) -> Result<Self, Failure> {
        let engine: String = call.get("engine")?;
        let libraries = libraries(&engine)?;
        let servers: BTreeMap<String, String> = call.get("servers")?;
        if let Some(name) = servers
            .keys()
            .find(|name| !ALL.iter().any(|one| one.name() == **name))
        {
            return Err(
                Failure::new(format!("`servers` names `{name}`, which is no engine")).help(known()),
            );
        }
        let deadline: f64 = call.get("deadline")?;
        let folder = call
            .has("folder")
            .then(|| Folder::read(call.path("folder")?));
        Ok(Self {
            folder: folder.transpose()?,
            libraries,
            servers,
            mailto: call.get("mailto")?,
            most: most.clamp(1, MOST_RESULTS),
            until: Instant::now() + Duration::from_secs_f64(deadline.clamp(0.0, 86_400.0)),
            line: Line::default(),
            away: RefCell::default(),
            asked: RefCell::default(),
        })
    }

    /// Whether there is anyone to ask.
    pub(crate) fn staffed(&self) -> bool {
        self.folder.is_some() || !self.libraries.is_empty()
    }

    /// Asks for papers about some words. Each library that answers with nothing hands on to the next.
    ///
    /// # Errors
    /// Only if the run is being stopped, or by a fault of ours: a library that fails is part of the
    /// answer.
    pub(crate) fn search(&self, words: &str, context: &dyn Context) -> Result<Found, Failure> {
        let mut found = Found::default();
        if let Some(folder) = &self.folder {
            found.papers = folder.search(words, self.most);
            found.answered.push("folder".to_owned());
        }
        for library in &self.libraries {
            let name = library.name();
            if let Some(why) = self.away.borrow().get(name) {
                found.failed.insert(name.to_owned(), why.clone());
                continue;
            }
            match self.ask(*library, words, context) {
                Ok(papers) => {
                    found.answered.push(name.to_owned());
                    let any = !papers.is_empty();
                    found.papers.extend(papers);
                    if any {
                        break;
                    }
                }
                Err(failure) if failure.bug || context.cancelled() => return Err(failure),
                Err(failure) => {
                    self.away.borrow_mut().insert(name, failure.message.clone());
                    found.failed.insert(name.to_owned(), failure.message);
                }
            }
        }
        Ok(found)
    }

    /// One question to one library: a keyed call. Keys and the address are not part of it.
    fn ask(
        &self,
        library: &dyn Library,
        words: &str,
        context: &dyn Context,
    ) -> Result<Vec<Paper>, Failure> {
        let base = self
            .servers
            .get(library.name())
            .map_or(library.base_url(), String::as_str);
        let question = library.question(words, self.most);
        let request = Request {
            kind: "literature".to_owned(),
            document: json!({
                "v": 1,
                "library": library.name(),
                "base": base,
                "path": question.path,
                "query": question.query,
            }),
            who: library.name().to_owned(),
            price: Price::Free,
        };
        let mut perform = |_: &dyn Outbox| {
            self.wait_turn(library, base, context)?;
            let get = self.get(library, base, &question, context)?;
            let body = self.line.get(&get, self.until, context)?;
            let papers = library.read(&body).map_err(|why| {
                Failure::new(format!("gave an answer that cannot be read: {why}"))
            })?;
            Ok(Reply {
                document: json!({"papers": papers}),
                ..Reply::default()
            })
        };
        let reply = context.call(&request, &mut perform)?;
        serde_json::from_value(reply.document["papers"].clone()).map_err(|error| {
            Failure::bug(format!(
                "a stored answer of a library cannot be read: {error}"
            ))
        })
    }

    /// Leaves a public library the time between two questions that it asks for.
    fn wait_turn(
        &self,
        library: &dyn Library,
        base: &str,
        context: &dyn Context,
    ) -> Result<(), Failure> {
        let last = self.asked.borrow().get(library.name()).copied();
        if let Some(last) = last.filter(|_| base == library.base_url()) {
            let free = last + library.pace();
            rest(free.saturating_duration_since(Instant::now()), context)?;
        }
        self.asked
            .borrow_mut()
            .insert(library.name(), Instant::now());
        Ok(())
    }

    fn get(
        &self,
        library: &dyn Library,
        base: &str,
        question: &Question,
        context: &dyn Context,
    ) -> Result<Get, Failure> {
        let url = format!("{}{}", base.trim_end_matches('/'), question.path);
        let mut url = reqwest::Url::parse(&url)
            .map_err(|error| Failure::new(format!("has no valid URL ({error})")))?;
        let key = |name: &str| {
            context
                .secret(name)
                .filter(|secret| !secret.trim().is_empty())
        };
        let (mut header, mut secret) = (None, None);
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(
                question
                    .query
                    .iter()
                    .map(|(name, value)| (*name, value.as_str())),
            );
            if let Some(mailto) = self.mailto.as_ref().filter(|_| library.polite()) {
                query.append_pair("mailto", mailto);
            }
            match library.access() {
                Access::Open => {}
                Access::Header {
                    secret: name,
                    header: own,
                } => {
                    secret = key(name);
                    header = secret.clone().map(|value| (own, value));
                }
                Access::Query {
                    secret: name,
                    name: own,
                } => {
                    secret = key(name);
                    if let Some(value) = &secret {
                        query.append_pair(own, value);
                    }
                }
            }
        }
        Ok(Get {
            url,
            header,
            secret,
        })
    }
}

fn libraries(engine: &str) -> Result<Vec<&'static dyn Library>, Failure> {
    match engine {
        "none" => Ok(Vec::new()),
        "cascade" => Ok(ALL.to_vec()),
        name => match ALL.iter().find(|library| library.name() == name) {
            Some(library) => Ok(vec![*library]),
            None => Err(Failure::new(format!("`engine: {name}` is unknown")).help(known())),
        },
    }
}

fn known() -> String {
    let names: Vec<&str> = ALL.iter().map(|library| library.name()).collect();
    format!("known are none, cascade, {}", names.join(", "))
}
