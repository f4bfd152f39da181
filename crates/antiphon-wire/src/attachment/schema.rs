//! How attachments look, for the API's description.

use std::borrow::Cow;
use std::collections::BTreeMap;

use utoipa::openapi::schema::Type;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::*;
use crate::schema::{Kind, Member, Schemas, collect, list, number, reference, string, union};

fn kinds() -> Vec<Kind> {
    let kind = |tag, name, members: Vec<Member>| Kind { tag, name, members };
    let text = || string().into();
    let integer = || number(Type::Integer).into();
    vec![
        kind(
            "FILE",
            "FileAttachment",
            vec![
                ("fileId", true, text()),
                ("fileUsageType", true, reference::<FileUsageType>()),
                ("name", false, text()),
                ("url", false, text()),
            ],
        ),
        kind(
            "LOCATION",
            "LocationAttachment",
            vec![
                ("latitude", true, number(Type::Number).into()),
                ("longitude", true, number(Type::Number).into()),
                ("name", false, text()),
                ("address", false, text()),
                ("url", false, text()),
            ],
        ),
        kind("CONTACT", "ContactAttachment", vec![("contactProfile", true, reference::<ContactProfile>())]),
        kind("UNSUPPORTED_CONTENT", "UnsupportedContentAttachment", vec![]),
        kind(
            "MESSAGE_HEADER",
            "MessageHeaderAttachment",
            vec![("fileId", false, integer()), ("text", false, text())],
        ),
        kind(
            "QUICK_REPLIES",
            "QuickRepliesAttachment",
            vec![
                ("quickReplies", true, list::<QuickReply>()),
                ("allowMultiSelect", true, bool::schema()),
                ("allowUserInput", true, bool::schema()),
            ],
        ),
        kind(
            "WHATSAPP_TEMPLATE_METADATA",
            "WhatsappTemplateAttachment",
            vec![
                ("crmObjectIds", true, BTreeMap::<String, i64>::schema()),
                ("parameters", true, BTreeMap::<String, String>::schema()),
                ("mappedTemplateId", false, integer()),
                ("contentId", false, integer()),
                ("rootMicId", false, integer()),
            ],
        ),
        kind(
            "SOCIAL_MEDIA_METADATA",
            "SocialMediaAttachment",
            vec![("socialMetadata", true, reference::<SocialMetadata>())],
        ),
    ]
}

impl PartialSchema for Attachment {
    fn schema() -> RefOr<Schema> {
        union(&kinds())
    }
}

impl ToSchema for Attachment {
    fn name() -> Cow<'static, str> {
        "Attachment".into()
    }

    fn schemas(schemas: &mut Schemas) {
        schemas.extend(kinds().into_iter().map(Kind::schema));
        collect::<FileUsageType>(schemas);
        collect::<ContactProfile>(schemas);
        collect::<QuickReply>(schemas);
        collect::<SocialMetadata>(schemas);
    }
}
