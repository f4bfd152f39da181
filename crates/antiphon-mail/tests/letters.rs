//! Answers as the common clients write them: each letter keeps what its writer wrote, and loses what the client copied.

use antiphon_mail::{quote, text};

/// The visible text of what is left; `None` when nothing was removed.
fn left(letter: &str) -> Option<String> {
    let stripped = quote::strip(None, Some(letter));
    let html = stripped.html?;
    assert_eq!(stripped.removed, html != letter, "what was not touched is as it was");
    let lines: Vec<String> = text::from_html(&html).lines().map(|line| line.trim().to_owned()).collect();
    stripped.removed.then(|| lines.join("\n").trim().to_owned())
}

const LETTERS: &[(&str, &str, &str)] = &[
    (
        "Gmail",
        r#"<div dir="ltr"><div>Thursday is fine.</div><div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div dir="ltr">Ana Sousa</div></div></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Tue, Mar 3, 2026 at 10:14 AM Bo Lind &lt;<a href="mailto:bo@example.net">bo@example.net</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"><div dir="ltr">When may we <b>come</b>?</div></blockquote></div>
"#,
        "Thursday is fine.\n\n--\nAna Sousa",
    ),
    (
        "Gmail, answered between the lines",
        r#"<div dir="ltr"><div dir="ltr"><br></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Tue, Mar 3, 2026 at 10:14 AM Bo Lind &lt;<a href="mailto:bo@example.net">bo@example.net</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex"><div dir="ltr">When may we come?</div></blockquote><div>On Thursday.</div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex"><div dir="ltr">Whereto?</div></blockquote><div>To the shop.</div></div></div>"#,
        "On Thursday.\nTo the shop.",
    ),
    (
        "Gmail on a phone, in German",
        r#"<div dir="auto">Donnerstag passt.</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">Bo Lind &lt;<a href="mailto:bo@example.net" rel="noreferrer noreferrer">bo@example.net</a>&gt; schrieb am Di., 3. März 2026, 10:14:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex"><div dir="ltr">Wann dürfen wir kommen?<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Ana schrieb:<br></div><blockquote class="gmail_quote">Gern.</blockquote></div></div></blockquote></div>"#,
        "Donnerstag passt.",
    ),
    (
        "Gmail that repeats an address of its own, without a blockquote",
        r#"<div dir="ltr">Thursday is fine.</div><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">Am Di., 3. März 2026 um 10:14 Uhr schrieb Bo Lind:<br></div><div>When may we come?</div></div>"#,
        "Thursday is fine.",
    ),
    (
        "Outlook on the web",
        r##"<html><head>
<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">
<style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style>
</head>
<body dir="ltr">
<div class="elementToProof" style="font-family: Aptos, Aptos_EmbeddedFont, Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);">
Thursday is fine.</div>
<div id="appendonsend"></div>
<hr style="display:inline-block;width:98%" tabindex="-1">
<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000"><b>From:</b> Bo Lind &lt;bo@example.net&gt;<br>
<b>Sent:</b> Tuesday, March 3, 2026 10:14 AM<br>
<b>To:</b> Ana Sousa &lt;ana@example.org&gt;<br>
<b>Subject:</b> Bicycle</font>
<div>&nbsp;</div>
</div>
<div dir="ltr">When may we come?</div>
</body>
</html>"##,
        "Thursday is fine.",
    ),
    (
        "Outlook on the web, where the mark comes with a prefix",
        r#"<div dir="ltr">Thursday is fine.</div><div id="x_appendonsend"></div><hr tabindex="-1"><div id="x_divRplyFwdMsg" dir="ltr"><b>Från:</b> Bo Lind<br><b>Skickat:</b> den 3 mars 2026<br><b>Ämne:</b> Cykel</div><div>När?</div>"#,
        "Thursday is fine.",
    ),
    (
        "Outlook for Windows",
        r#"<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word"><head><meta name=Generator content="Microsoft Word 15 (filtered medium)"><!--[if !mso]><style>v\:* {behavior:url(#default#VML);}</style><![endif]--><style><!--
/* Font Definitions */
@font-face	{font-family:Calibri;}
p.MsoNormal	{margin:0cm;}
--></style><!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]--></head><body lang=EN-GB style='word-wrap:break-word'><div class=WordSection1><p class=MsoNormal><span style='mso-fareast-language:EN-US'>Thursday is fine.<o:p></o:p></span></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b><span lang=EN-US>From:</span></b><span lang=EN-US> Bo Lind &lt;bo@example.net&gt; <br><b>Sent:</b> 03 March 2026 10:14<br><b>To:</b> Ana Sousa &lt;ana@example.org&gt;<br><b>Subject:</b> Bicycle<o:p></o:p></span></p></div></div><p class=MsoNormal>When may we come?<o:p></o:p></p></div></body></html>"#,
        "Thursday is fine.",
    ),
    (
        "Outlook for Windows in a language nobody here knows",
        r#"<body lang=EL><div class=WordSection1><p class=MsoNormal>Την Πέμπτη.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b><span>Από:</span></b><span> Bo Lind &lt;bo@example.net&gt; <br><b>Στάλθηκε:</b> Τρίτη 3 Μαρτίου 2026 10:14<br><b>Θέμα:</b> Ποδήλατο<o:p></o:p></span></p></div></div><p class=MsoNormal>Πότε;<o:p></o:p></p></div></body>"#,
        "Την Πέμπτη.",
    ),
    (
        "Outlook for Mac",
        r#"<html><body lang="en-DE"><div class="WordSection1"><p class="MsoNormal">Thursday is fine.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div id="mail-editor-reference-message-container"><div><div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b><span style="font-size:12.0pt;color:black">From: </span></b><span style="font-size:12.0pt;color:black">Bo Lind &lt;bo@example.net&gt;<br><b>Date: </b>Tuesday, 3. March 2026 at 10:14<br><b>To: </b>Ana Sousa<br><b>Subject: </b>Bicycle<o:p></o:p></span></p></div><p class="MsoNormal">When may we come?</p></div></div></div></div></body></html>"#,
        "Thursday is fine.",
    ),
    (
        "Outlook on a phone",
        r#"<html><body><div dir="ltr" style="font-family: Aptos;">Thursday is fine.</div><div id="ms-outlook-mobile-body-separator-line" dir="ltr"><br></div><div id="ms-outlook-mobile-signature" dir="ltr">Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><div id="mail-editor-reference-message-container" dir="ltr"><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font><b>From:</b> Bo Lind<br><b>Sent:</b> Tuesday, March 3, 2026 10:14:05 AM<br><b>To:</b> Ana<br><b>Subject:</b> Bicycle</font></div><div dir="ltr">When may we come?</div></div></body></html>"#,
        "Thursday is fine.\n\nGet Outlook for iOS",
    ),
    (
        "Apple Mail",
        r#"<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">Thursday is fine.<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite"><div>On 3. Mar 2026, at 10:14, Bo Lind &lt;bo@example.net&gt; wrote:</div><br class="Apple-interchange-newline"><div><div>When may we come?</div></div></blockquote></div><br></body></html>"#,
        "Thursday is fine.",
    ),
    (
        "Apple Mail, whose older versions put the attribution outside",
        r#"<html><body style="word-wrap: break-word;">Thursday is fine.<div><br></div><div>Ana</div><div><br><div><div>On Mar 3, 2026, at 10:14, Bo Lind &lt;<a href="mailto:bo@example.net">bo@example.net</a>&gt; wrote:</div><br class="Apple-interchange-newline"><blockquote type="cite"><div>When may we come?</div></blockquote></div><br></div></body></html>"#,
        "Thursday is fine.\n\nAna",
    ),
    (
        "Mail on an iPhone",
        "<html><head></head><body dir=\"auto\">Thursday is fine.<br><br><div dir=\"ltr\">Sent from my iPhone</div><div dir=\"ltr\"><br><blockquote type=\"cite\">On 3. Mar 2026, at 10:14, Bo Lind &lt;bo@example.net&gt; wrote:<br><br></blockquote></div><blockquote type=\"cite\"><div dir=\"ltr\">\u{feff}<div>When may we come?</div></div></blockquote></body></html>",
        "Thursday is fine.\n\nSent from my iPhone",
    ),
    (
        "Thunderbird",
        r#"<!DOCTYPE html>
<html>
  <head>
    <meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
  </head>
  <body>
    <p>Donnerstag passt.<br>
    </p>
    <div class="moz-cite-prefix">Am 03.03.26 um 10:14 schrieb Bo Lind:<br>
    </div>
    <blockquote type="cite" cite="mid:c0ffee@example.net">
      <meta http-equiv="Content-Type" content="text/html; charset=UTF-8">
      <p>Wann dürfen wir kommen?</p>
      <blockquote type="cite" cite="mid:beef@example.org"><pre class="moz-quote-pre" wrap="">Gern.</pre></blockquote>
    </blockquote>
    <div class="moz-signature">-- <br>
      Ana Sousa</div>
  </body>
</html>"#,
        "Donnerstag passt.\n--\nAna Sousa",
    ),
    (
        "Thunderbird, answered below",
        r#"<html><body><div class="moz-cite-prefix">On 3/3/26 10:14, Bo Lind wrote:<br></div><blockquote type="cite" cite="mid:c0ffee@example.net"><p>When may we come?</p></blockquote><p>Thursday is fine.</p></body></html>"#,
        "Thursday is fine.",
    ),
    (
        "Yahoo",
        r#"<html><head></head><body><div class="ydp9ae2d5b3yahoo-style-wrap" style="font-family:Helvetica Neue, Helvetica, Arial, sans-serif;font-size:16px;"><div></div><div dir="ltr" data-setdir="false">Thursday is fine.</div><div><br></div></div><div id="yahoo_quoted_5512345678" class="yahoo_quoted"><div style="font-family:'Helvetica Neue', Helvetica, Arial, sans-serif;font-size:13px;color:#26282a;"><div>On Tuesday, 3 March 2026 at 10:14:05 GMT, Bo Lind &lt;bo@example.net&gt; wrote: </div><div><br></div><div><br></div><div><div id="yiv1234567890"><div dir="ltr">When may we come?</div></div></div></div></div></body></html>"#,
        "Thursday is fine.",
    ),
    (
        "Yahoo, whose class names have a prefix",
        r#"<div class="ydp9ae2d5b3yahoo-style-wrap"><div dir="ltr">Thursday is fine.</div></div><div class="ydp77c1aa90yahoo_quoted" id="ydp77c1aa90yahoo_quoted_5512345678"><div><div>El martes, 3 de marzo de 2026, 10:14:05 CET, Bo Lind escribió:</div><div>¿Cuándo?</div></div></div>"#,
        "Thursday is fine.",
    ),
    (
        "GMX and web.de",
        r#"<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;"><div>Donnerstag passt.</div><div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5; word-wrap: break-word;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Dienstag, 03. März 2026 um 10:14 Uhr<br><b>Von:</b>&nbsp;"Bo Lind" &lt;bo@example.net&gt;<br><b>An:</b>&nbsp;ana@example.org<br><b>Betreff:</b>&nbsp;Fahrrad</div><div name="quoted-content">Wann dürfen wir kommen?</div></div></div></div></body></html>"#,
        "Donnerstag passt.",
    ),
    (
        "Samsung",
        r#"<html><head></head><body dir="auto">Thursday is fine.<div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757" dir="auto">Sent from my Galaxy</div></div><div dir="auto"><br></div><div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Original message --------</div><div>From: Bo Lind &lt;bo@example.net&gt; </div><div>Date: 03/03/2026  10:14  (GMT+01:00) </div><div>To: ana@example.org </div><div>Subject: Bicycle </div><div><br></div></div>When may we come?</body></html>"#,
        "Thursday is fine.\n\nSent from my Galaxy",
    ),
];

#[test]
fn answers_lose_what_the_client_copied() {
    let wrong: Vec<String> = LETTERS
        .iter()
        .filter_map(|(client, letter, expected)| {
            let left = left(letter);
            (left.as_deref() != Some(*expected))
                .then(|| format!("{client}: {left:?} instead of {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const WHOLE: &[(&str, &str)] = &[
    (
        "Gmail, forwarding",
        r#"<div dir="ltr">Please see below.<br><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <strong class="gmail_sendername" dir="auto">Bo Lind</strong> <span dir="auto">&lt;<a href="mailto:bo@example.net">bo@example.net</a>&gt;</span><br>Date: Tue, Mar 3, 2026 at 10:14 AM<br>Subject: Bicycle<br>To:  &lt;<a href="mailto:ana@example.org">ana@example.org</a>&gt;<br></div><br><br><div dir="ltr">When may we come?</div></div></div>"#,
    ),
    (
        "Apple Mail, forwarding",
        r#"<html><body>Please see below.<br><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br class="Apple-interchange-newline"><div><span><b>From: </b></span><span>Bo Lind<br></span></div><div><span><b>Subject: </b></span><span><b>Bicycle</b><br></span></div><div><span><b>Date: </b></span><span>3. March 2026 at 10:14<br></span></div><br><div>When may we come?</div></blockquote></div></body></html>"#,
    ),
    (
        "Thunderbird, forwarding",
        r#"<html><body><p>Please see below.</p><div class="moz-forward-container"><br><br>-------- Forwarded Message --------<table class="moz-email-headers-table" cellspacing="0"><tbody><tr><th valign="BASELINE" align="RIGHT">Subject: </th><td>Bicycle</td></tr><tr><th>Date: </th><td>Tue, 3 Mar 2026 10:14:05 +0100</td></tr><tr><th>From: </th><td>Bo Lind</td></tr></tbody></table><br>When may we come?</div></body></html>"#,
    ),
    (
        "Outlook on a phone, writing first",
        r#"<html><body><div dir="ltr">Where is my bicycle?</div><div id="ms-outlook-mobile-body-separator-line" dir="ltr"><br></div><div id="ms-outlook-mobile-signature" dir="ltr">Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div></body></html>"#,
    ),
    (
        "Outlook on the web, writing first",
        r#"<html><body dir="ltr"><div class="elementToProof">Where is my bicycle?</div><div id="Signature"><div>Bo</div></div></body></html>"#,
    ),
    (
        "a table with a line above it",
        r#"<html><body><p>Our prices:</p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>Bell:</b> 5 €</p></div><p>Regards</p></body></html>"#,
    ),
];

#[test]
fn what_nobody_copied_stays() {
    for (what, letter) in WHOLE {
        assert_eq!(left(letter), None, "{what}");
    }
}
