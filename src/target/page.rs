//! The bodies of refusals: part of what a challenge costs, so each likeness has its own size.

use bytes::Bytes;
use http::StatusCode;

use crate::workload::Likeness;

/// Size of an IIS-like refusal, in octets: what IIS 10 sends with 401 and 405 \[seen\].
const IIS_PAGE: usize = 1293;
/// Size of what the kernel sends in its place when the queue is full \[seen\].
const OVERLOAD: usize = 326;

/// Content type and body of an answer that says no more than its status.
pub(crate) fn page(likeness: Likeness, status: StatusCode) -> (&'static str, Bytes) {
    let code = status.as_u16();
    let reason = reason(likeness, status);
    match likeness {
        Likeness::Iis => ("text/html", iis(code, reason)),
        Likeness::Apache => (
            "text/html; charset=iso-8859-1",
            format!(
                "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{code} {reason}</title>\n\
                 </head><body>\n<h1>{reason}</h1>\n<p>{}</p>\n<hr>\n<address>bootstorm (Apache-like) Server</address>\n\
                 </body></html>\n",
                sentence(status)
            )
            .into(),
        ),
        Likeness::Nginx => (
            "text/html",
            format!(
                "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} {reason}</h1>\
                 </center>\r\n<hr><center>bootstorm (nginx-like)</center>\r\n</body>\r\n</html>\r\n"
            )
            .into(),
        ),
        Likeness::Lighttpd => (
            "text/html",
            format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n <head>\n  <meta charset=\"UTF-8\" />\n  <title>{code} {reason}\
                 </title>\n </head>\n <body>\n  <h1>{code} {reason}</h1>\n </body>\n</html>\n"
            )
            .into(),
        ),
        Likeness::Strict => ("text/plain; charset=utf-8", format!("{code} {reason}\n").into()),
    }
}

/// Content type and body of the answer to a request that finds the queue full.
pub(crate) fn overload_page(likeness: Likeness) -> (&'static str, Bytes) {
    match likeness {
        // From the kernel, not from the server itself: another page [seen].
        Likeness::Iis => ("text/html; charset=us-ascii", filled(OVERLOAD, "<!DOCTYPE HTML>\r\n<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD>\r\n\
             <BODY><h2>Service Unavailable</h2>\r\n<hr><p>IIS-like answer of bootstorm: the request queue is full.</p>\r\n"
            .to_owned(), "</BODY></HTML>\r\n")),
        _ => page(likeness, StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The reason as the likeness words it.
fn reason(likeness: Likeness, status: StatusCode) -> &'static str {
    match (likeness, status) {
        (Likeness::Nginx, StatusCode::UNAUTHORIZED) => "Authorization Required",
        (Likeness::Nginx, StatusCode::METHOD_NOT_ALLOWED) => "Not Allowed",
        (Likeness::Nginx | Likeness::Apache, StatusCode::PAYLOAD_TOO_LARGE) => "Request Entity Too Large",
        _ => status.canonical_reason().unwrap_or("Refused"),
    }
}

fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "This server could not verify that you\nare authorized to access the document\nrequested. Either you \
             supplied the wrong\ncredentials (e.g., bad password), or your\nbrowser doesn't understand how to supply\n\
             the credentials required."
        }
        StatusCode::NOT_FOUND => "The requested URL was not found on this server.",
        StatusCode::BAD_REQUEST => "Your browser sent a request that this server could not understand.",
        StatusCode::METHOD_NOT_ALLOWED => "The requested method is not allowed for this URL.",
        StatusCode::CREATED => "The resource has been created.",
        StatusCode::PAYLOAD_TOO_LARGE => "The amount of data provided in the request exceeds the capacity limit.",
        _ => "The server could not do what was asked of it.",
    }
}

/// A page of exactly the size IIS 10 sends, in words of our own.
fn iis(code: u16, reason: &str) -> Bytes {
    let page = format!(
        "<!DOCTYPE html>\r\n<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"/>\
         \r\n<title>{code} - {reason}</title>\r\n</head>\r\n<body>\r\n<h1>Server Error</h1>\r\n<fieldset>\r\n\
         <h2>{code} - {reason}</h2>\r\n<h3>IIS-like answer of bootstorm: a test target, not IIS.</h3>\r\n</fieldset>\r\n"
    );
    filled(IIS_PAGE, page, "</body>\r\n</html>\r\n")
}

/// The page and its end, with a comment between that makes it `size` octets.
fn filled(size: usize, mut page: String, end: &str) -> Bytes {
    let fill = size.saturating_sub(page.len() + end.len() + "<!---->".len());
    page.push_str("<!--");
    page.extend(std::iter::repeat_n(' ', fill));
    page.push_str("-->");
    page.push_str(end);
    page.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iis_like_refusal_weighs_what_one_of_iis_weighs() {
        for status in [401, 404, 405, 400, 500] {
            let (kind, body) = page(Likeness::Iis, StatusCode::from_u16(status).unwrap());
            assert_eq!((kind, body.len()), ("text/html", 1293), "{status}");
        }
    }

    #[test]
    fn an_overloaded_iis_like_answer_weighs_what_the_kernels_weighs() {
        let (kind, body) = overload_page(Likeness::Iis);
        assert_eq!((kind, body.len()), ("text/html; charset=us-ascii", 326));
    }

    #[test]
    fn each_likeness_words_it_its_own_way() {
        let text = |l| String::from_utf8(page(l, StatusCode::UNAUTHORIZED).1.to_vec()).unwrap();
        assert!(text(Likeness::Nginx).contains("<h1>401 Authorization Required</h1>"));
        assert!(text(Likeness::Apache).contains("<h1>Unauthorized</h1>"));
        assert!(text(Likeness::Lighttpd).contains("<title>401 Unauthorized</title>"));
        assert_eq!(text(Likeness::Strict), "401 Unauthorized\n");
    }
}
