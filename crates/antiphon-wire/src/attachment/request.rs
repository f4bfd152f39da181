//! From an attachment as sent to one of its kinds.

use super::{Attachment, AttachmentRequest, FileUsageType, QuickReply, SocialMetadata};
use crate::error::Problem;

/// A file that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedFile {
    /// A file known here, by its id or by its absolute URL.
    Known(String),
    /// A file hosted elsewhere, described on the spot.
    Inline {
        /// Name with extension.
        name: String,
        /// Absolute URL of its bytes.
        url: String,
        /// Media type.
        media_type: String,
        /// Bytes.
        size: Option<i64>,
    },
}

/// What a request attaches.
#[derive(Debug, Clone, PartialEq)]
pub enum Requested {
    /// A file, still to be looked up, and what it is for if the request says so.
    File(RequestedFile, Option<FileUsageType>),
    /// Anything else, ready to be stored.
    Ready(Attachment),
}

impl AttachmentRequest {
    /// What a send may attach: a file, quick replies or a social post.
    ///
    /// # Errors
    /// It is of another kind, or lacks what its kind needs.
    pub fn outgoing(&self) -> Result<Requested, Problem> {
        match self.kind()? {
            "FILE" => match &self.file_id {
                Some(id) => {
                    Ok(Requested::File(RequestedFile::Known(id.0.trim().to_owned()), self.file_usage_type))
                }
                None => Err(Problem::required("fileId")),
            },
            "QUICK_REPLIES" => Ok(Requested::Ready(Attachment::QuickReplies {
                quick_replies: self.quick_replies()?,
                allow_multi_select: false,
                allow_user_input: true,
            })),
            "SOCIAL_MEDIA_METADATA" => self.social().map(Requested::Ready),
            other => Err(Problem::not_one_of(
                "attachments",
                other,
                &["FILE", "QUICK_REPLIES", "SOCIAL_MEDIA_METADATA"],
            )),
        }
    }

    /// What an injected message may bring along: all eight kinds; a file also by name, URL and media type.
    ///
    /// # Errors
    /// It is of no kind, or lacks what its kind needs.
    pub fn incoming(&self) -> Result<Requested, Problem> {
        let attachment = match self.kind()? {
            "FILE" => return self.file(),
            "LOCATION" => {
                let latitude = self.latitude.ok_or_else(|| Problem::required("latitude"))?;
                let longitude = self.longitude.ok_or_else(|| Problem::required("longitude"))?;
                let (name, address, url) = (self.name.clone(), self.address.clone(), self.url.clone());
                Attachment::Location { latitude, longitude, name, address, url }
            }
            "CONTACT" => {
                let contact_profile =
                    self.contact_profile.clone().ok_or_else(|| Problem::required("contactProfile"))?;
                Attachment::Contact { contact_profile }
            }
            "UNSUPPORTED_CONTENT" => Attachment::UnsupportedContent {},
            "MESSAGE_HEADER" => {
                let id = |id: &crate::id::LenientId| {
                    id.parse(crate::id::MAX_SAFE)
                        .ok_or_else(|| Problem::new("fileId", format!("`{id}` is not a file id")))
                };
                Attachment::MessageHeader {
                    file_id: self.file_id.as_ref().map(id).transpose()?,
                    text: self.text.clone(),
                }
            }
            "QUICK_REPLIES" => Attachment::QuickReplies {
                quick_replies: self.quick_replies()?,
                allow_multi_select: self.allow_multi_select.unwrap_or(false),
                allow_user_input: self.allow_user_input.unwrap_or(true),
            },
            "WHATSAPP_TEMPLATE_METADATA" => Attachment::WhatsappTemplateMetadata {
                crm_object_ids: self.crm_object_ids.clone(),
                parameters: self.parameters.clone(),
                mapped_template_id: self.mapped_template_id,
                content_id: self.content_id,
                root_mic_id: self.root_mic_id,
            },
            "SOCIAL_MEDIA_METADATA" => self.social()?,
            other => return Err(Problem::not_one_of("attachments", other, KINDS)),
        };
        Ok(Requested::Ready(attachment))
    }

    /// What a message that was said outside may bring along: what is not known is kept as something that cannot be shown.
    ///
    /// # Errors
    /// It is of a kind that only comes back, or lacks what its kind needs.
    pub fn published(&self) -> Result<Requested, Problem> {
        match self.kind()? {
            "WHATSAPP_TEMPLATE_METADATA" => {
                Err(Problem::new("attachments", "WHATSAPP_TEMPLATE_METADATA cannot be published"))
            }
            "FILE" if self.file_id.is_none() => Err(Problem::required("fileId")),
            known if KINDS.contains(&known) => self.incoming(),
            _ => Ok(Requested::Ready(Attachment::UnsupportedContent {})),
        }
    }

    /// The kind, upper-case if it is known and as sent if not.
    fn kind(&self) -> Result<&str, Problem> {
        match &self.kind {
            Some(kind) => {
                Ok(KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind)).copied().unwrap_or(kind))
            }
            None if self.file_id.is_some() => Ok("FILE"),
            None => Err(Problem::new("attachments", "An attachment needs a `type`")),
        }
    }

    fn file(&self) -> Result<Requested, Problem> {
        let file = match (&self.file_id, &self.url) {
            (Some(id), _) => RequestedFile::Known(id.0.trim().to_owned()),
            (None, None) => return Err(Problem::required("fileId")),
            (None, Some(url)) => RequestedFile::Inline {
                name: self.name.clone().ok_or_else(|| Problem::required("name"))?,
                url: url.clone(),
                media_type: self.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
                size: self.size,
            },
        };
        Ok(Requested::File(file, self.file_usage_type))
    }

    fn quick_replies(&self) -> Result<Vec<QuickReply>, Problem> {
        if self.quick_replies.is_empty() {
            return Err(Problem::required("quickReplies"));
        }
        let reply = |reply: &super::QuickReplyRequest| {
            Ok(QuickReply {
                value: reply.value.clone().ok_or_else(|| Problem::required("value"))?,
                value_type: reply.value_type.ok_or_else(|| Problem::required("valueType"))?,
                label: reply.label.clone(),
            })
        };
        self.quick_replies.iter().map(reply).collect()
    }

    fn social(&self) -> Result<Attachment, Problem> {
        let post = self.social_metadata.as_ref().ok_or_else(|| Problem::required("socialMetadata"))?;
        let social_metadata = SocialMetadata {
            media_type: post.media_type.ok_or_else(|| Problem::required("mediaType"))?,
            id: post.id.as_ref().map(ToString::to_string),
            media_title: post.media_title.clone(),
            description: post.description.clone(),
            media_url: post.media_url.clone(),
            media_url_string: post.media_url_string.clone(),
            thumbnail_url: post.thumbnail_url.clone(),
        };
        Ok(Attachment::SocialMediaMetadata { social_metadata })
    }
}

const KINDS: &[&str] = &[
    "FILE",
    "LOCATION",
    "CONTACT",
    "UNSUPPORTED_CONTENT",
    "MESSAGE_HEADER",
    "QUICK_REPLIES",
    "WHATSAPP_TEMPLATE_METADATA",
    "SOCIAL_MEDIA_METADATA",
];
