//! A form in parts, read as it comes: texts are small and kept, the file goes straight to where bytes are. Parts come in any order.

use std::collections::BTreeMap;

use antiphon_wire::error::Problem;
use multer::{Constraints, Multipart, SizeLimit};

use super::bytes::{Kept, Writing, Written};
use crate::call::Call;
use crate::middleware::inflow::Inflow;
use crate::refusal::Refusal;

/// Most bytes of a text part, and most parts.
const TEXT: u64 = 64 << 10;
const PARTS: usize = 32;

/// What the form may have besides the file: the heads of its parts.
const AROUND: u64 = 1 << 20;

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
    let kept = &call.app.kept;
    let inflow = call.inflow.clone().ok_or_else(|| Refusal::Internal("no form is read here".into()))?;
    let most = call.app.config.files.max_bytes;
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
    let mut writing = None;
    match parts(kept, call.caller.portal(), inflow, boundary, most, &mut writing).await {
        Ok(form) => Ok(form),
        Err(refusal) => {
            if let Some(writing) = writing {
                Writing::abort(writing).await;
            }
            Err(refusal)
        }
    }
}

async fn parts(
    kept: &Kept,
    portal: antiphon_store::PortalId,
    inflow: Inflow,
    boundary: String,
    most: u64,
    writing: &mut Option<Writing>,
) -> Result<Form, Refusal> {
    let sizes =
        SizeLimit::new().whole_stream(most.saturating_add(AROUND)).per_field(TEXT).for_field("file", most);
    let constraints = Constraints::new().size_limit(sizes);
    let mut parts = Multipart::with_constraints(inflow.pieces(), boundary, constraints);
    let mut form = Form::default();
    let mut count = 0;
    let broken = |error| refused(error, most);
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        count += 1;
        if count > PARTS {
            return Err(Refusal::Invalid(vec![Problem::bare(format!("A form has at most {PARTS} parts"))]));
        }
        let name = part.name().unwrap_or_default().to_owned();
        if name != "file" {
            form.texts.insert(name, part.text().await.map_err(broken)?);
            continue;
        }
        if form.file.is_some() {
            return Err(Refusal::invalid("file", "A form has one file"));
        }
        let (called, media_type) =
            (part.file_name().map(str::to_owned), part.content_type().map(|kind| kind.to_string()));
        let object = writing.insert(kept.write(portal));
        while let Some(bytes) = part.chunk().await.map_err(broken)? {
            object.push(bytes).await.map_err(lost)?;
        }
        // An object whose form is broken behind it is nobody's, and swept away.
        if let Some(object) = writing.take() {
            let written = object.finish().await.map_err(lost)?;
            form.file = Some(Sent { written, name: called, media_type });
        }
    }
    Ok(form)
}

/// The place does not take it.
fn lost(error: anyhow::Error) -> Refusal {
    tracing::error!(error = format!("{error:#}"), "a file cannot be kept");
    Refusal::Unavailable
}

fn refused(error: multer::Error, most: u64) -> Refusal {
    use multer::Error::*;
    let bare = |message: String| Refusal::Invalid(vec![Problem::bare(message)]);
    match error {
        StreamSizeExceeded { .. } => Refusal::TooLarge(most),
        FieldSizeExceeded { field_name, .. } => match field_name.as_deref() {
            Some("file") => Refusal::TooLarge(most),
            name => {
                Refusal::invalid(name.unwrap_or_default(), format!("A text part has at most {TEXT} bytes"))
            }
        },
        StreamReadFailed(cause) => bare(format!("The form cannot be read: {cause}")),
        other => bare(format!("The form cannot be read: {other}")),
    }
}
