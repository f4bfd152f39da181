//! Attachments between door and rule: the door finds the files that are named, the rule makes those that are new.

use antiphon_store::{Changes, File, Millis, Moment, PortalId, Store};
use antiphon_wire::attachment::{Attachment, FileUsageType, Requested, RequestedFile};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};

use crate::custom_channels::capabilities::Capabilities;
use crate::events::kinds;
use crate::files::links;
use crate::refusal::Refusal;

/// Most attachments of one message.
const MOST: usize = 20;

const NAME: &str = "attachments";

/// Attachments that need nothing more from outside.
#[derive(Debug, Clone, Default)]
pub struct Attachments {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Ready(Attachment),
    File(File, Option<FileUsageType>),
    /// A file of a visitor's that would go by itself, were it not sent.
    Sent(File),
    /// A file that the store does not know yet; its number and time come with the rule.
    New(File, Option<FileUsageType>),
}

impl Attachments {
    /// Looks up every file that is named. What is wrong is added to `problems`.
    pub async fn find(
        store: &Store,
        portal: PortalId,
        requested: Vec<Result<Requested, Problem>>,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Refusal> {
        if requested.len() > MOST {
            problems.push(Problem::new(NAME, format!("A message has at most {MOST} attachments")));
            return Ok(Self::default());
        }
        let mut parts = Vec::with_capacity(requested.len());
        for one in requested {
            match one {
                Ok(Requested::Ready(attachment)) => parts.push(Part::Ready(attachment)),
                Ok(Requested::File(RequestedFile::Known(named), usage)) => {
                    match known(store, portal, &named).await? {
                        Some(file) => parts.push(Part::File(file, usage)),
                        None => problems.push(Problem::new(
                            NAME,
                            format!("File `{named}` does not exist in this account"),
                        )),
                    }
                }
                Ok(Requested::File(RequestedFile::Inline { name, url, media_type, size }, usage)) => {
                    parts.push(Part::New(File { name, media_type, size, url, ..File::default() }, usage));
                }
                Err(problem) => problems.push(problem),
            }
        }
        Ok(Self { parts })
    }

    /// Files that a visitor uploaded to be sent. They stay from then on.
    pub fn of_visitor(files: Vec<File>) -> Self {
        Self { parts: files.into_iter().map(Part::Sent).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What of them goes beyond what can be sent on a channel that an app brought.
    pub fn beyond(&self, can: &Capabilities) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |why: String| problems.push(Problem::new(NAME, why));
        let files: Vec<_> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::File(file, _) | Part::New(file, _) | Part::Sent(file) => Some(file),
                Part::Ready(_) => None,
            })
            .collect();
        for part in &self.parts {
            let kind = match part {
                Part::File(..) | Part::New(..) | Part::Sent(_) => "FILE",
                Part::Ready(ready) => ready.kind(),
            };
            if !can.attachments.iter().any(|allowed| allowed == kind) {
                wrong(format!("Attachments of type {kind} cannot be sent on this channel"));
            }
        }
        if files.len() > can.most_files {
            wrong(format!("A message on this channel has at most {} files", can.most_files));
        }
        for file in &files {
            if !can.admits(&file.media_type) {
                wrong(format!("Files of type {} cannot be sent on this channel", file.media_type));
            }
            if can.largest_file.zip(file.size).is_some_and(|(most, size)| size > most) {
                wrong(format!("File {} is larger than this channel takes", file.id));
            }
        }
        let together: i64 = files.iter().filter_map(|file| file.size).sum();
        if can.largest_files.is_some_and(|most| together > most) {
            wrong("The files are larger together than this channel takes".into());
        }
        problems
    }

    /// The attachments as a message shows them, and the files among them. New files are added to the changes.
    pub fn settle(
        &self,
        at: Millis,
        moment: &mut Moment,
        changes: &mut Changes,
    ) -> (Vec<Attachment>, Vec<i64>) {
        let mut shown = Vec::with_capacity(self.parts.len());
        let mut files = Vec::new();
        for part in &self.parts {
            let (file, usage) = match part {
                Part::Ready(attachment) => {
                    shown.push(attachment.clone());
                    continue;
                }
                Part::File(file, usage) => (file.clone(), *usage),
                Part::Sent(file) => {
                    let kept = File { expires_at: None, updated_at: at, url: String::new(), ..file.clone() };
                    changes.events.push(kinds::file_changed(file.id, at));
                    changes.files.push(kept);
                    (file.clone(), None)
                }
                Part::New(file, usage) => {
                    let file = File {
                        id: moment.file_id(),
                        created_at: at,
                        updated_at: at,
                        conversational: true,
                        ..file.clone()
                    };
                    changes.events.push(kinds::file_changed(file.id, at));
                    changes.files.push(file.clone());
                    (file, *usage)
                }
            };
            files.push(file.id);
            shown.push(Attachment::File {
                file_id: file.id.to_string(),
                file_usage_type: usage.unwrap_or_else(|| FileUsageType::of(&file.media_type)),
                name: Some(file.name),
                url: Some(file.url),
            });
        }
        (shown, files)
    }
}

/// A file by its id, or by the address of its bytes. Of one that is kept here, the address is made when the message is read.
async fn known(store: &Store, portal: PortalId, named: &str) -> Result<Option<File>, Refusal> {
    let ours = links::named(named).filter(|(of, _)| *of == portal.0).map(|(_, id)| id);
    let found = match parse_path_id(named, MAX_SAFE).or(ours) {
        Some(id) => store.files_by_ids(portal, &[id]).await?.pop(),
        None if named.starts_with("http://") || named.starts_with("https://") => {
            store.file_by_url(portal, named).await?
        }
        None => None,
    };
    Ok(found.filter(|file| file.is_live(store.now())).map(|mut file| {
        if file.url.is_empty() {
            file.url = links::path(portal, &file);
        }
        file
    }))
}

#[cfg(test)]
mod tests {
    use antiphon_wire::attachment::AttachmentRequest;

    use super::*;
    use crate::testing::NOW;

    fn file(id: i64, media_type: &str) -> File {
        let (name, url) = (format!("file-{id}"), format!("https://inbox.test/files/{id}"));
        File { id, name, media_type: media_type.into(), url, created_at: 1, ..File::default() }
    }

    #[test]
    fn files_are_shown_with_name_address_and_use() {
        let parts = vec![
            Part::File(file(7, "image/png"), None),
            Part::File(file(8, "audio/ogg"), Some(FileUsageType::VoiceRecording)),
            Part::New(file(0, "application/pdf"), None),
            Part::Ready(Attachment::UnsupportedContent {}),
        ];
        let (moment, mut changes) = (&mut Moment::still(NOW), Changes::default());
        let (shown, files) = Attachments { parts }.settle(NOW, moment, &mut changes);
        assert_eq!(files, [7, 8, 1]);
        assert_eq!(
            serde_json::to_value(shown).unwrap(),
            serde_json::json!([
                { "type": "FILE", "fileId": "7", "fileUsageType": "IMAGE", "name": "file-7", "url": "https://inbox.test/files/7" },
                { "type": "FILE", "fileId": "8", "fileUsageType": "VOICE_RECORDING", "name": "file-8", "url": "https://inbox.test/files/8" },
                { "type": "FILE", "fileId": "1", "fileUsageType": "OTHER", "name": "file-0", "url": "https://inbox.test/files/0" },
                { "type": "UNSUPPORTED_CONTENT" },
            ])
        );
        assert_eq!((changes.files.len(), changes.files[0].created_at, changes.events.len()), (1, NOW, 1));
    }

    #[test]
    fn three_kinds_can_be_sent() {
        let ask = |body: serde_json::Value| {
            let request: AttachmentRequest = serde_json::from_value(body).unwrap();
            request.outgoing().is_ok()
        };
        assert!(ask(serde_json::json!({ "fileId": 7 })));
        assert!(ask(serde_json::json!({ "type": "file", "fileId": "https://inbox.test/files/7" })));
        assert!(ask(
            serde_json::json!({ "type": "QUICK_REPLIES", "quickReplies": [{ "value": "a", "valueType": "TEXT" }] })
        ));
        assert!(ask(
            serde_json::json!({ "type": "SOCIAL_MEDIA_METADATA", "socialMetadata": { "mediaType": "GIF" } })
        ));
        assert!(!ask(serde_json::json!({ "type": "LOCATION", "latitude": 1.0, "longitude": 2.0 })));
        assert!(!ask(serde_json::json!({ "type": "NONSENSE" })));
        assert!(!ask(serde_json::json!({})));
    }
}
