//! Attachments: eight kinds in answers, three in sends, all eight when an incoming message is injected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::LenientId;
use crate::lenient::{lenient, wire_enum};

mod request;
mod schema;

pub use request::{Requested, RequestedFile};

wire_enum! {
    /// What a file is for.
    pub enum FileUsageType {
        /// To be listened to.
        Audio = "AUDIO",
        /// To be looked at.
        Image = "IMAGE",
        /// Anything else.
        Other = "OTHER",
        /// A sticker.
        Sticker = "STICKER",
        /// Somebody's voice.
        VoiceRecording = "VOICE_RECORDING",
    }

    /// What pressing a quick reply does.
    pub enum QuickReplyType {
        /// Answers with a text.
        Text = "TEXT",
        /// Opens a page.
        Url = "URL",
    }

    /// What a social post shows.
    pub enum SocialMediaType {
        /// An article.
        Article = "ARTICLE",
        /// Sound.
        Audio = "AUDIO",
        /// Several pictures.
        Carousel = "CAROUSEL",
        /// A document.
        Document = "DOCUMENT",
        /// A moving picture.
        Gif = "GIF",
        /// A link.
        Link = "LINK",
        /// Nothing.
        None = "NONE",
        /// A photo.
        Photo = "PHOTO",
        /// A poll.
        Poll = "POLL",
        /// A story.
        Story = "STORY",
        /// A video.
        Video = "VIDEO",
    }

    /// Where an address, email or page belongs.
    pub enum PlaceType {
        /// Home.
        Home = "HOME",
        /// Work.
        Work = "WORK",
    }

    /// Where a phone belongs.
    pub enum PhoneType {
        /// A mobile.
        Cell = "CELL",
        /// Home.
        Home = "HOME",
        /// The switchboard.
        Main = "MAIN",
        /// Work.
        Work = "WORK",
    }
}

/// What came with a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum Attachment {
    /// A file.
    File {
        /// Its id.
        file_id: String,
        /// What it is for.
        file_usage_type: FileUsageType,
        /// Its name, with extension.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Where its bytes are.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// What it is called.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its postal address.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// A page about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// Somebody's card.
    Contact {
        /// What it says.
        contact_profile: ContactProfile,
    },
    /// Something that the channel delivered and nothing here can represent.
    UnsupportedContent {},
    /// The head of a template message.
    MessageHeader {
        /// A file shown in it. A number.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<i64>,
        /// A text shown in it.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Answers offered to the visitor.
    QuickReplies {
        /// The answers.
        quick_replies: Vec<QuickReply>,
        /// Whether several may be chosen.
        allow_multi_select: bool,
        /// Whether something else may be typed.
        allow_user_input: bool,
    },
    /// What a WhatsApp template was filled with.
    WhatsappTemplateMetadata {
        /// Objects by type.
        crm_object_ids: BTreeMap<String, i64>,
        /// Values by placeholder.
        parameters: BTreeMap<String, String>,
        /// The template.
        #[serde(skip_serializing_if = "Option::is_none")]
        mapped_template_id: Option<i64>,
        /// Its content.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_id: Option<i64>,
        /// Its root.
        #[serde(skip_serializing_if = "Option::is_none")]
        root_mic_id: Option<i64>,
    },
    /// A social post that the message is about.
    SocialMediaMetadata {
        /// The post.
        social_metadata: SocialMetadata,
    },
}

/// An answer offered to the visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuickReply {
    /// What it answers or opens.
    pub value: String,
    /// What pressing it does.
    pub value_type: QuickReplyType,
    /// What stands on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub label: Option<String>,
}

/// A social post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SocialMetadata {
    /// What it shows.
    pub media_type: SocialMediaType,
    /// Its id on the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media_title: Option<String>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media_url: Option<String>,
    /// Where it is, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub media_url_string: Option<String>,
    /// A small picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thumbnail_url: Option<String>,
}

lenient! {
    /// Somebody's card.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ContactProfile {
        /// Postal addresses.
        pub addresses: Vec<ContactAddress> = "addresses",
        /// Email addresses.
        pub emails: Vec<ContactEmail> = "emails",
        /// Phone numbers.
        pub phones: Vec<ContactPhone> = "phones",
        /// Pages.
        pub urls: Vec<ContactUrl> = "urls",
        /// The name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub name: Option<ContactName> = "name",
        /// Where they work.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub org: Option<ContactOrg> = "org",
    }

    /// A postal address.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ContactAddress {
        /// Street and number.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub street: Option<String> = "street",
        /// City.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub city: Option<String> = "city",
        /// State.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub state: Option<String> = "state",
        /// Postal code.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub zip: Option<String> = "zip",
        /// Country.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub country: Option<String> = "country",
        /// Country, two letters.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub country_code: Option<String> = "countryCode",
        /// Where it belongs.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub kind: Option<PlaceType> = "type",
    }

    /// An email address.
    #[derive(Serialize)]
    pub struct ContactEmail {
        /// The address.
        pub email: String = "email",
        /// Where it belongs.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub kind: Option<PlaceType> = "type",
    }

    /// A phone number.
    #[derive(Serialize)]
    pub struct ContactPhone {
        /// The number.
        pub phone: String = "phone",
        /// Where it belongs.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub kind: Option<PhoneType> = "type",
    }

    /// A page.
    #[derive(Serialize)]
    pub struct ContactUrl {
        /// Its address.
        pub url: String = "url",
        /// Where it belongs.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub kind: Option<PlaceType> = "type",
    }

    /// A person's name.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct ContactName {
        /// Before the name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub prefix: Option<String> = "prefix",
        /// First name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub first_name: Option<String> = "firstName",
        /// Middle name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub middle_name: Option<String> = "middleName",
        /// Last name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub last_name: Option<String> = "lastName",
        /// Behind the name.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub suffix: Option<String> = "suffix",
    }

    /// Where somebody works.
    #[derive(Serialize)]
    pub struct ContactOrg {
        /// The company.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub company: Option<String> = "company",
        /// The department.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub department: Option<String> = "department",
        /// What they are there.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        pub title: Option<String> = "title",
    }

    /// An attachment as sent: whatever any kind may have. [`AttachmentRequest::outgoing`] and
    /// [`AttachmentRequest::incoming`] make one kind of it.
    pub struct AttachmentRequest {
        /// The kind; a `fileId` alone means `FILE`.
        pub kind: Option<String> = "type",
        /// Id of a file, or its absolute URL.
        pub file_id: Option<LenientId> = "fileId",
        /// What the file is for.
        pub file_usage_type: Option<FileUsageType> = "fileUsageType",
        /// Name of a file or a place.
        pub name: Option<String> = "name",
        /// Where a file's bytes are, or a page about a place.
        pub url: Option<String> = "url",
        /// Media type of a file given by its URL.
        pub media_type: Option<String> = "mediaType",
        /// Bytes of a file given by its URL.
        pub size: Option<i64> = "size",
        /// Degrees north.
        pub latitude: Option<f64> = "latitude",
        /// Degrees east.
        pub longitude: Option<f64> = "longitude",
        /// Postal address of a place.
        pub address: Option<String> = "address",
        /// Somebody's card.
        pub contact_profile: Option<ContactProfile> = "contactProfile",
        /// Text of a message head.
        pub text: Option<String> = "text",
        /// Answers offered to the visitor.
        #[schema(required = false)]
        pub quick_replies: Vec<QuickReplyRequest> = "quickReplies",
        /// Whether several answers may be chosen.
        pub allow_multi_select: Option<bool> = "allowMultiSelect",
        /// Whether something else may be typed.
        pub allow_user_input: Option<bool> = "allowUserInput",
        /// Objects of a template by type.
        #[schema(required = false)]
        pub crm_object_ids: BTreeMap<String, i64> = "crmObjectIds",
        /// Values of a template by placeholder.
        #[schema(required = false)]
        pub parameters: BTreeMap<String, String> = "parameters",
        /// The template.
        pub mapped_template_id: Option<i64> = "mappedTemplateId",
        /// The template's content.
        pub content_id: Option<i64> = "contentId",
        /// The template's root.
        pub root_mic_id: Option<i64> = "rootMicId",
        /// A social post.
        pub social_metadata: Option<SocialMetadataRequest> = "socialMetadata",
    }

    /// An answer to offer.
    pub struct QuickReplyRequest {
        /// What it answers or opens.
        pub value: Option<String> = "value",
        /// What pressing it does.
        pub value_type: Option<QuickReplyType> = "valueType",
        /// What stands on it.
        pub label: Option<String> = "label",
    }

    /// A social post to be passed on.
    pub struct SocialMetadataRequest {
        /// What it shows.
        pub media_type: Option<SocialMediaType> = "mediaType",
        /// Its id on the network.
        pub id: Option<LenientId> = "id",
        /// Its title.
        pub media_title: Option<String> = "mediaTitle",
        /// What it says.
        pub description: Option<String> = "description",
        /// Where it is.
        pub media_url: Option<String> = "mediaUrl",
        /// Where it is, as text.
        pub media_url_string: Option<String> = "mediaUrlString",
        /// A small picture of it.
        pub thumbnail_url: Option<String> = "thumbnailUrl",
    }
}

impl Attachment {
    /// The kind's name on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "FILE",
            Self::Location { .. } => "LOCATION",
            Self::Contact { .. } => "CONTACT",
            Self::UnsupportedContent {} => "UNSUPPORTED_CONTENT",
            Self::MessageHeader { .. } => "MESSAGE_HEADER",
            Self::QuickReplies { .. } => "QUICK_REPLIES",
            Self::WhatsappTemplateMetadata { .. } => "WHATSAPP_TEMPLATE_METADATA",
            Self::SocialMediaMetadata { .. } => "SOCIAL_MEDIA_METADATA",
        }
    }
}

impl FileUsageType {
    /// What a file of a media type is for, unless its channel knows better.
    pub fn of(media_type: &str) -> Self {
        match media_type.split_once('/').map(|(kind, _)| kind.to_ascii_lowercase()).as_deref() {
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            _ => Self::Other,
        }
    }
}
