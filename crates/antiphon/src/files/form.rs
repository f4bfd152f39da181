//! A form in parts, read as it comes: its file goes straight to where bytes are. Parts come in any order.

pub mod parts;

use std::collections::BTreeMap;

use antiphon_store::PortalId;
use antiphon_wire::error::Problem;
use bytes::Bytes;

use super::bytes::{Kept, Writing, Written};
use super::upload;
use crate::call::Call;
use crate::refusal::Refusal;
use parts::{AROUND, Fault, PARTS, Sink, TEXT};

/// A form that was read.
#[derive(Debug, Default)]
pub struct Form {
    pub file: Option<Sent>,
    texts: BTreeMap<String, String>,
}

/// A file that was sent, and is where bytes are kept. Nobody sees it before a file is made of it.
#[derive(Debug)]
pub struct Sent {
    pub written: Written,
    /// What the sender calls it.
    pub name: Option<String>,
    pub media_type: Option<String>,
}

impl Form {
    /// A text part; an empty one is as good as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }
}

/// Reads the form of a request.
///
/// # Errors
/// It is none, it is too large, or it ends too early. Nothing is left of it then.
pub async fn read(call: &Call) -> Result<Form, Refusal> {
    read_at_most(call, call.app.config.files.max_bytes).await
}

/// The same, with a file of at most so many bytes.
///
/// # Errors
/// It is none, it is too large, or it ends too early. Nothing is left of it then.
pub async fn read_at_most(call: &Call, most: u64) -> Result<Form, Refusal> {
    let kept = &call.app.kept;
    let inflow = call.inflow.clone().ok_or_else(|| Refusal::Internal("no form is read here".into()))?;
    if inflow.packed {
        return Err(Refusal::Unsupported("a packed form".into()));
    }
    let Ok(boundary) = multer::parse_boundary(&inflow.media_type) else {
        let media_type = inflow.media_type.clone();
        return Err(match media_type.to_ascii_lowercase().starts_with("multipart/form-data") {
            true => Refusal::invalid("Content-Type", "The form does not say what its parts are divided by"),
            false => Refusal::Unsupported(media_type),
        });
    };
    if inflow.announced.is_some_and(|bytes| bytes > most.saturating_add(AROUND)) {
        return Err(Refusal::TooLarge(most));
    }
    let Ok(_place) = kept.uploads.clone().try_acquire_owned() else { return Err(Refusal::Busy) };
    let mut taker =
        Taker { kept, portal: call.caller.portal(), writing: None, named: (None, None), sent: None };
    match parts::read(inflow.pieces(), boundary, most, &mut taker).await {
        Ok(texts) => Ok(Form { file: taker.sent, texts }),
        Err(fault) => {
            if let Some(writing) = taker.writing {
                Writing::abort(writing).await;
            }
            if let Some(sent) = taker.sent {
                upload::discard(call, &sent.written.object).await;
            }
            Err(refused(fault, most))
        }
    }
}

/// Takes the file of a form to where bytes are kept.
struct Taker<'a> {
    kept: &'a Kept,
    portal: PortalId,
    writing: Option<Writing>,
    named: (Option<String>, Option<String>),
    sent: Option<Sent>,
}

impl Sink for Taker<'_> {
    type Error = anyhow::Error;

    fn begin(&mut self, name: Option<&str>, media_type: Option<&str>) {
        self.named = (name.map(str::to_owned), media_type.map(str::to_owned));
        self.writing = Some(self.kept.write(self.portal));
    }

    async fn push(&mut self, bytes: Bytes) -> anyhow::Result<()> {
        match &mut self.writing {
            Some(writing) => writing.push(bytes).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(writing) = self.writing.take() {
            let (written, (name, media_type)) = (writing.finish().await?, std::mem::take(&mut self.named));
            self.sent = Some(Sent { written, name, media_type });
        }
        Ok(())
    }
}

fn refused(fault: Fault<anyhow::Error>, most: u64) -> Refusal {
    let bare = |message: String| Refusal::Invalid(vec![Problem::bare(message)]);
    match fault {
        Fault::TooLarge => Refusal::TooLarge(most),
        Fault::TextTooLarge(name) => Refusal::invalid(&name, format!("A text part has at most {TEXT} bytes")),
        Fault::TooManyParts => bare(format!("A form has at most {PARTS} parts")),
        Fault::SecondFile => Refusal::invalid("file", "A form has one file"),
        Fault::Malformed(why) => bare(format!("The form cannot be read: {why}")),
        Fault::Sink(error) => {
            tracing::error!(error = format!("{error:#}"), "a file cannot be kept");
            Refusal::Unavailable
        }
    }
}
