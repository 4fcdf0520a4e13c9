//! The language server: what `kyo check` knows, in an editor. One check a change (about a millisecond for
//! the whole flow), nothing kept but the open texts. It does not know YAML; the checker does.

mod answer;
mod complete;
mod open;
mod place;

use std::collections::BTreeSet;

use lsp_server::{Connection, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _,
    PublishDiagnostics,
};
use lsp_types::request::{Completion, GotoDefinition, HoverRequest, Request as _};
use lsp_types::{
    CompletionOptions, HoverProviderCapability, OneOf, PublishDiagnosticsParams,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use open::Open;

/// Serves one editor over standard input and output, until it says goodbye.
///
/// # Errors
/// What the protocol does not allow, and a connection that breaks.
pub(crate) fn serve() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (connection, threads) = Connection::stdio();
    connection.initialize(serde_json::to_value(capabilities())?)?;
    Server {
        connection: &connection,
        open: Open::new(),
        told: BTreeSet::new(),
    }
    .run()?;
    drop(connection);
    threads.join()?;
    Ok(())
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["{".to_owned(), ".".to_owned()]),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

struct Server<'c> {
    connection: &'c Connection,
    open: Open,
    /// Files that have problems on the screen.
    told: BTreeSet<String>,
}

impl Server<'_> {
    fn run(mut self) -> Outcome {
        for message in &self.connection.receiver {
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let answer = self.answer(request);
                    self.connection.sender.send(answer.into())?;
                }
                Message::Notification(notification) => self.hear(notification)?,
                Message::Response(_) => {}
            }
        }
        Ok(())
    }

    fn answer(&self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let answered = match method.as_str() {
            HoverRequest::METHOD => with(params, |asked| answer::hover(&self.open, &asked)),
            GotoDefinition::METHOD => with(params, |asked| answer::definition(&self.open, &asked)),
            Completion::METHOD => with(params, |asked| complete::complete(&self.open, &asked)),
            _ => {
                let code = lsp_server::ErrorCode::MethodNotFound as i32;
                return Response::new_err(id, code, format!("`{method}` is not known here"));
            }
        };
        match answered {
            Ok(value) => Response::new_ok(id, value),
            Err(error) => {
                let code = lsp_server::ErrorCode::InvalidParams as i32;
                Response::new_err(id, code, error.to_string())
            }
        }
    }

    /// What the editor tells; words that are not known are passed over, as the protocol says.
    fn hear(&mut self, notification: Notification) -> Outcome {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let told: lsp_types::DidOpenTextDocumentParams = serde_json::from_value(params)?;
                self.open
                    .set(&told.text_document.uri, told.text_document.text);
            }
            DidChangeTextDocument::METHOD => {
                let told: lsp_types::DidChangeTextDocumentParams = serde_json::from_value(params)?;
                if let Some(change) = told.content_changes.into_iter().next_back() {
                    self.open.set(&told.text_document.uri, change.text);
                }
            }
            DidCloseTextDocument::METHOD => {
                let told: lsp_types::DidCloseTextDocumentParams = serde_json::from_value(params)?;
                self.open.forget(&told.text_document.uri);
            }
            _ => return Ok(()),
        }
        self.tell()
    }

    /// Sends the problems of every open pipeline; files that have none any more are cleared.
    fn tell(&mut self) -> Outcome {
        let found = answer::problems(&self.open);
        let cleared: Vec<String> = self
            .told
            .iter()
            .filter(|uri| !found.contains_key(*uri))
            .cloned()
            .collect();
        for uri in cleared {
            self.publish(&uri, Vec::new())?;
        }
        self.told = found.keys().cloned().collect();
        for (uri, problems) in found {
            self.publish(&uri, problems)?;
        }
        Ok(())
    }

    fn publish(&self, uri: &str, diagnostics: Vec<lsp_types::Diagnostic>) -> Outcome {
        let params = PublishDiagnosticsParams {
            uri: uri.parse::<Uri>().map_err(|error| error.to_string())?,
            diagnostics,
            version: None,
        };
        let told = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
        self.connection.sender.send(told.into())?;
        Ok(())
    }
}

/// Reads what was asked, and writes the answer.
fn with<P: DeserializeOwned, A: Serialize>(
    params: Value,
    answer: impl FnOnce(P) -> A,
) -> Result<Value, serde_json::Error> {
    serde_json::to_value(answer(serde_json::from_value(params)?))
}
