//! What bytes are: their media type, how they are encoded, and how large a picture is. Names and strangers are believed in what
//! does no harm; a picture is one that can be read.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

/// A media type by an extension, for those who send none.
const KNOWN: [(&str, &str); 32] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
    ("bmp", "image/bmp"),
    ("tif", "image/tiff"),
    ("heic", "image/heic"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("ics", "text/calendar"),
    ("vcf", "text/vcard"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("rtf", "application/rtf"),
    ("zip", "application/zip"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("wav", "audio/wav"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
];

const ANYTHING: &str = "application/octet-stream";

/// Longest side of a picture that is read, and most memory that it may take.
const SIDE: u32 = 20_000;
const MEMORY: u64 = 160 << 20;

/// What bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    pub media_type: String,
    pub encoding: Option<String>,
    pub width: Option<i64>,
    pub height: Option<i64>,
}

impl Content {
    /// Judges by what was said, by the name, and by the beginning of the bytes. Keeps a core busy for a moment.
    pub fn of(said: Option<&str>, extension: &str, hunch: Option<&str>, head: &[u8]) -> Self {
        let extension = extension.to_ascii_lowercase();
        let by_name = KNOWN.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind);
        let media_type = said.and_then(plain).filter(|said| said != ANYTHING);
        let media_type = media_type.or_else(|| by_name.map(str::to_owned));
        let mut content =
            Self { media_type: media_type.unwrap_or_else(|| ANYTHING.into()), ..Self::default() };
        if let Some((format, width, height)) = picture(head) {
            content.encoding = format.extensions_str().first().map(|name| (*name).to_owned());
            if format == ImageFormat::Jpeg {
                content.encoding = Some("jpeg".into());
            }
            (content.width, content.height) = (Some(width.into()), Some(height.into()));
        } else if content.media_type.starts_with("text/") {
            let hunch = hunch.map(|hunch| hunch.trim().to_ascii_lowercase());
            let hunch = hunch.filter(|hunch| {
                (1..=40).contains(&hunch.len())
                    && hunch.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_:.".contains(&c))
            });
            content.encoding = hunch.or_else(|| is_utf8(head).then(|| "utf-8".into()));
        }
        content
    }
}

/// A media type without its parameters, if it is one.
fn plain(said: &str) -> Option<String> {
    let said = said.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, rest) = said.split_once('/')?;
    let token = |text: &str| {
        !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c))
    };
    (said.len() <= 127 && token(kind) && token(rest)).then_some(said)
}

/// Whether it is text, as far as it was seen: the last letter may be cut.
fn is_utf8(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(text) => !text.contains('\0'),
        Err(error) => error.error_len().is_none() && error.valid_up_to() + 4 > head.len(),
    }
}

/// What kind of picture it is, and how large.
fn picture(head: &[u8]) -> Option<(ImageFormat, u32, u32)> {
    let reader = ImageReader::new(Cursor::new(head)).with_guessed_format().ok()?;
    let format = reader.format()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some((format, width, height))
}

/// A picture made smaller, or larger if it may: its sides are at most so long. `None` when it cannot be read within bounds, or
/// would stay as it is.
pub fn scaled(bytes: &[u8], longest: u32, upscale: bool) -> Option<Vec<u8>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let format = reader.format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    if picture.width().max(picture.height()) == longest
        || (picture.width().max(picture.height()) < longest && !upscale)
    {
        return None;
    }
    let small = picture.thumbnail(longest, longest);
    let mut out = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => small.to_rgb8().write_to(&mut out, ImageFormat::Jpeg).ok()?,
        _ => small.write_to(&mut out, ImageFormat::Png).ok()?,
    }
    Some(out.into_inner())
}

/// The media type of what [`scaled`] made.
pub fn scaled_type(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(&[0xff, 0xd8]) { "image/jpeg" } else { "image/png" }
}

/// Whether a browser may show it instead of saving it.
pub fn is_shown(media_type: &str) -> bool {
    let kind = media_type.split('/').next().unwrap_or_default();
    media_type != "image/svg+xml" && matches!(kind, "image" | "audio" | "video")
        || media_type == "application/pdf"
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A picture.
    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image::RgbImage::from_pixel(width, height, image::Rgb([200, 30, 60]))
            .write_to(&mut out, ImageFormat::Png)
            .unwrap();
        out.into_inner()
    }

    #[test]
    fn what_bytes_are_is_seen_from_what_is_said_the_name_and_the_bytes() {
        let of = |said, extension, head: &[u8]| Content::of(said, extension, None, head);
        for (said, extension, media_type) in [
            (Some("image/png"), "txt", "image/png"),
            (Some("Text/Plain; charset=x"), "", "text/plain"),
            (Some("application/octet-stream"), "PDF", "application/pdf"),
            (Some("nonsense"), "", ANYTHING),
            (Some("a/b\r\nX: y"), "", ANYTHING),
            (None, "png", "image/png"),
        ] {
            assert_eq!(of(said, extension, b"\0").media_type, media_type, "{said:?} {extension}");
        }
        let seen = of(None, "bin", &png(30, 20));
        assert_eq!((seen.encoding.as_deref(), seen.width, seen.height), (Some("png"), Some(30), Some(20)));
        assert_eq!(of(None, "txt", "gr\u{fc}n".as_bytes()).encoding.as_deref(), Some("utf-8"));
        assert_eq!(of(None, "txt", b"gr\xfcn und mehr").encoding, None);
        let hunch = Content::of(None, "txt", Some("ISO-8859-1"), b"gr\xfcn und mehr");
        assert_eq!(hunch.encoding.as_deref(), Some("iso-8859-1"));
        assert_eq!(Content::of(None, "txt", Some("a\nb"), b"x").encoding.as_deref(), Some("utf-8"));
    }

    #[test]
    fn pictures_are_scaled_within_bounds() {
        let small = scaled(&png(400, 200), 128, false).unwrap();
        assert_eq!(picture(&small), Some((ImageFormat::Png, 128, 64)));
        assert_eq!(scaled(&png(40, 20), 128, false), None, "it is small enough");
        assert_eq!(picture(&scaled(&png(40, 20), 128, true).unwrap()).unwrap().1, 128);
        assert_eq!(scaled(b"no picture", 128, true), None);
        // A head that promises 60,000 times 60,000 pixels.
        let mut bomb = png(1, 1);
        bomb[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(scaled(&bomb, 128, false), None);
        for cut in 0..small.len().min(200) {
            scaled(&small[..cut], 32, false);
        }
    }

    #[test]
    fn only_what_cannot_act_is_shown() {
        for (media_type, shown) in [
            ("image/png", true),
            ("image/svg+xml", false),
            ("video/mp4", true),
            ("application/pdf", true),
            ("text/html", false),
            ("text/plain", false),
            ("application/xhtml+xml", false),
        ] {
            assert_eq!(is_shown(media_type), shown, "{media_type}");
        }
    }
}
