//! Answers: as they should be, odd, and wrong.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Octets some parser may take for something else.
pub(crate) const MEANINGFUL: &[u8] = b"\r\n\0\t :;,=\"0159afHTP/.\x0b\x0c\x7f\x80\xe4\xff";

/// Any answer, good or odd.
pub(crate) fn answer() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        4 => length_delimited(),
        4 => chunked(),
        2 => until_close(),
        2 => both(),
        1 => bodiless(),
        1 => oversize(),
    ]
    .boxed()
}

/// Mostly the first, now and then one of the others.
pub(crate) fn usually(first: &'static str, others: &'static [&'static str]) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![others.len() as u32 * 20 => Just(first), others.len() as u32 => select(others)].prop_map(latin).boxed()
}

/// A text's octets; characters up to U+00FF stand for the octets of their number.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("an octet")).collect()
}

fn all(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    parts.into_iter().flatten().collect()
}

/// All but rarely the end of a line.
fn line_end() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![70 => Just("\r\n"), 2 => Just("\n"), 1 => select(&["\r", "", "\r\r\n", " \r\n"][..])]
        .prop_map(latin)
        .boxed()
}

/// Everything before the header lines: blank lines, interim answers, the status line.
fn beginning() -> BoxedStrategy<Vec<u8>> {
    let interims = select(
        &[
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nlink: </b>\r\n\r\n",
            "HTTP/1.1 100\r\nContent-Length: 3\r\n\r\n",
            "HTTP/1.0 199 Odd\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 102 Processing\n\n",
            "HTTP/1.1 100 Continue\r\nContent-Length: x\r\n\r\n",
        ][..],
    )
    .prop_map(latin);
    let switch = latin("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    let interims = prop_oneof![
        40 => Just(Vec::new()),
        10 => vec(interims, 1..4).prop_map(all),
        1 => Just(switch),
    ];
    let version = usually("HTTP/1.1", &["HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "ICY"]);
    let code =
        usually("200", &["401", "404", "500", "205", "206", "302", "599", "600", "999", "99", "099", "2000", "-1"]);
    let reason = usually(" OK", &["", " ", "  ", " Not  Found ", " \u{e4}\u{ff}", "\t", " \t", " \u{1}", " O\u{0}"]);
    let lead = usually("", &["", "", "", "", "", "", "\r\n", "\n", "\r\n\r\n\n", " ", "\r"]);
    (lead, interims, version, usually(" ", &[" ", " ", " ", " ", " ", " ", " ", "  ", "\t"]), code, reason, line_end())
        .prop_map(|(lead, interims, version, space, code, reason, end)| {
            all([lead, interims, version, space, code, reason, end])
        })
        .boxed()
}

/// A header line of no consequence, or so it should be.
fn other_line() -> BoxedStrategy<Vec<u8>> {
    let names = usually(
        "Server",
        &["ETag", "x-a", "WWW-Authenticate", "Set-Cookie", "A", "X_b!#$%&'*+-.^`|~9", "Content-Length-", "Keep-Alive"],
    );
    let odd_names = usually("X", &["", " X", "X ", "X\t", "X:", "\u{e4}", "X Y", "X\u{0}", "(X)", "\"X\"", "X\r\n"]);
    let colon = usually(": ", &[":", ":", ":", ": \t ", ":\t", " : ", "", ": :", "="]);
    let value = usually(
        "a",
        &[
            "",
            " ",
            "a, b",
            "\"c:d\"",
            "\u{e4}\u{ff}",
            "a \t",
            "e\tf",
            "\u{0}",
            "\u{7f}",
            "\u{1}",
            "a\r\n folded",
            "a\n\tb",
            "a\rb",
        ],
    );
    (prop_oneof![12 => names.boxed(), 1 => odd_names.boxed()], colon, value, line_end())
        .prop_map(|(name, colon, value, end)| all([name, colon, value, end]))
        .boxed()
}

/// Lines about the connection.
fn connection_line() -> BoxedStrategy<Vec<u8>> {
    let value = select(
        &[
            "close",
            "Close",
            "keep-alive",
            "Keep-Alive",
            "upgrade",
            "x, close",
            "keep-alive, close",
            "close, keep-alive",
            "keep-alive,",
            ", keep-alive",
            ",",
            "",
            "close;x",
            "keep alive",
            "\"close\"",
            "close\t",
            "\u{e4}, close",
            "\u{e4}, keep-alive",
            "closed",
        ][..],
    );
    (
        usually("Connection: ", &["connection:", "CONNECTION: ", "Proxy-Connection: ", "Connection : "]),
        value,
        line_end(),
    )
        .prop_map(|(name, value, end)| all([name, latin(value), end]))
        .boxed()
}

/// Header lines, these among them, to the end of the head.
fn headers(framing: impl Strategy<Value = Vec<Vec<u8>>> + 'static) -> BoxedStrategy<Vec<u8>> {
    let others = vec(other_line(), 0..4);
    let connection = prop_oneof![2 => Just(Vec::new()), 1 => vec(connection_line(), 1..3)];
    let end = prop_oneof![40 => Just("\r\n"), 2 => Just("\n"), 1 => select(&["", "\r", "\r\r\n", " \r\n"][..])];
    (framing, others, connection, end)
        .prop_flat_map(|(framing, others, connection, end)| {
            (Just([framing, others, connection].concat()).prop_shuffle(), Just(end))
        })
        .prop_map(|(lines, end)| all(lines.into_iter().chain([latin(end)])))
        .boxed()
}

/// Any content: short, or longer than what is read at once.
fn content() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        10 => vec(any::<u8>(), 0..40),
        3 => vec(select(MEANINGFUL), 0..40),
        1 => (16_000..40_000_usize, any::<u8>()).prop_map(|(length, octet)| vec![octet; length]),
    ]
    .boxed()
}

fn length_line(value: String) -> BoxedStrategy<Vec<u8>> {
    (usually("Content-Length: ", &["content-length:", "CONTENT-LENGTH: \t", "Content-Length : "]), line_end())
        .prop_map(move |(name, end)| all([name, value.clone().into_bytes(), end]))
        .boxed()
}

/// `Content-Length` lines for so many octets, or nearly.
fn length_lines(length: usize) -> BoxedStrategy<Vec<Vec<u8>>> {
    let near = prop_oneof![6 => Just(length), 1 => Just(length + 1), 1 => Just(length.saturating_sub(1))];
    let odd = select(
        &[
            "",
            "+1",
            "-1",
            "0x5",
            "1.0",
            " ",
            "5 5",
            "5,",
            ",5",
            "\"5\"",
            "\u{e4}",
            "18446744073709551615",
            "18446744073709551616",
        ][..],
    );
    let line = move |value: String| length_line(value).prop_map(|line| vec![line]);
    near.prop_flat_map(move |n| {
        prop_oneof![
            10 => line(n.to_string()),
            1 => line(format!("{n:020}")),
            1 => line(format!("{n} ,\t{n}")),
            1 => line(format!("{n}, {}", n + 1)),
            1 => odd.clone().prop_flat_map(move |odd| line(odd.to_owned())),
            1 => vec(length_line(n.to_string()), 2..4),
            1 => (length_line(n.to_string()), length_line((n + 1).to_string())).prop_map(|(one, other)| vec![one, other]),
        ]
    }).boxed()
}

fn length_delimited() -> BoxedStrategy<Vec<u8>> {
    let rest = content().prop_flat_map(|content| (headers(length_lines(content.len())), Just(content)));
    (beginning(), rest).prop_map(|(beginning, (headers, content))| all([beginning, headers, content])).boxed()
}

fn until_close() -> BoxedStrategy<Vec<u8>> {
    (beginning(), headers(Just(Vec::new())), content())
        .prop_map(|(beginning, headers, content)| all([beginning, headers, content]))
        .boxed()
}

/// Statuses that have no body, with and without something that looks like one.
fn bodiless() -> BoxedStrategy<Vec<u8>> {
    let begin = select(&["HTTP/1.1 204 No Content\r\n", "HTTP/1.0 204 \r\n", "HTTP/1.1 304 Not Modified\r\n"][..]);
    let framing = prop_oneof![Just(Vec::new()), length_lines(5), transfer_lines().prop_map(|lines| lines),];
    let body = usually("", &["hello", "5\r\nhello\r\n0\r\n\r\n"]);
    (begin, headers(framing), body).prop_map(|(begin, headers, body)| all([latin(begin), headers, body])).boxed()
}

/// `Transfer-Encoding` lines.
fn transfer_lines() -> BoxedStrategy<Vec<Vec<u8>>> {
    let name = usually("Transfer-Encoding: ", &["transfer-encoding:", "TRANSFER-ENCODING: \t", "Transfer-Encoding : "]);
    let value = usually(
        "chunked",
        &[
            "Chunked",
            "CHUNKED",
            "gzip, chunked",
            "chunked, identity",
            "identity",
            "chunked, chunked",
            "",
            "chunked,",
            ",chunked",
            "chunked;x=1",
            "\"chunked\"",
            "xchunked",
            "chunked gzip",
            "\u{e4}, chunked",
            "chunked\t",
        ],
    );
    let line = (name, value, line_end()).prop_map(|(name, value, end)| all([name, value, end])).boxed();
    prop_oneof![8 => vec(line.clone(), 1), 1 => vec(line, 2)].boxed()
}

/// A chunk's size line, its octets and what follows them.
fn chunk() -> BoxedStrategy<Vec<u8>> {
    let size_end = usually(
        "",
        &[" ", "\t ", ";x", ";x=1;y=\"z\"", " ; x = 1", ";", ";\u{e4}\u{0}", ";\n", " x", "\u{0}", "h", ";x\ry"],
    );
    let data_end =
        usually("\r\n", &["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "", "\r\n\r\n", "x\r\n"]);
    (1..40_usize, any::<u8>(), 0..3_u8, 0..12_i8, size_end, line_end(), data_end)
        .prop_map(|(size, octet, form, off, size_end, line_end, data_end)| {
            let announced = match off {
                10 => size + 1,
                11 => size - 1,
                _ => size,
            };
            let announced = match form {
                0 => format!("{announced:x}"),
                1 => format!("{announced:X}"),
                _ => format!("{announced:018x}"),
            };
            all([announced.into_bytes(), size_end, line_end, vec![octet; size], data_end])
        })
        .boxed()
}

fn trailer() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        6 => other_line(),
        1 => line_end(),
        1 => select(&["no colon\r\n", " folded\r\n", "X: a\n", "\nX: a\r\n", "X: \u{1}\r\n", "X: \u{0}\r\n"][..]).prop_map(latin),
    ].boxed()
}

fn chunks() -> BoxedStrategy<Vec<u8>> {
    let chunks = vec(chunk(), 0..4).prop_map(all);
    let large =
        (4_000..20_000_usize).prop_map(|size| all([latin(&format!("{size:x}\r\n")), vec![b'x'; size], latin("\r\n")]));
    let extra = prop_oneof![
        20 => Just(Vec::new()),
        1 => large,
        1 => Just(latin("ffffffffffffffff\r\nx")),
        1 => Just(latin("10000000000000000\r\nx")),
        1 => select(&[16_000, 17_000][..]).prop_map(|size| latin(&format!("1;{}\r\na\r\n", "x".repeat(size)))),
    ];
    let last = usually("0\r\n", &["0\r\n", "00;x\r\n", "0 \r\n", "0\n", "", "0", "0\r"]);
    let trailers = prop_oneof![4 => Just(Vec::new()), 1 => vec(trailer(), 1..4).prop_map(all)];
    let end = prop_oneof![20 => Just("\r\n"), 1 => select(&["", "\r", "\n", "\r\r\n"][..])].prop_map(latin);
    (chunks, extra, last, trailers, end)
        .prop_map(|(chunks, extra, last, trailers, end)| all([chunks, extra, last, trailers, end]))
        .boxed()
}

fn chunked() -> BoxedStrategy<Vec<u8>> {
    (beginning(), headers(transfer_lines()), chunks())
        .prop_map(|(beginning, headers, body)| all([beginning, headers, body]))
        .boxed()
}

/// Two ways to tell the end, which may not agree.
fn both() -> BoxedStrategy<Vec<u8>> {
    let framed = chunks().prop_flat_map(|body| {
        let framing = (transfer_lines(), length_lines(body.len())).prop_map(|(one, other)| [one, other].concat());
        (headers(framing), Just(body))
    });
    (beginning(), framed).prop_map(|(beginning, (headers, body))| all([beginning, headers, body])).boxed()
}

/// Heads about as large as any client takes, in octets or in lines.
fn oversize() -> BoxedStrategy<Vec<u8>> {
    let filler = prop_oneof![
        (65_300..65_700_usize).prop_map(|size| format!("X: {}\r\n", "x".repeat(size))),
        (95..105_usize).prop_map(|lines| "a: b\r\n".repeat(lines)),
        (60_000..70_000_usize).prop_map(|size| format!("HTTP/1.1 100 {}\r\n\r\n", "x".repeat(size))),
        Just("\r\n".repeat(40_000)),
    ];
    let end = select(&["Content-Length: 2\r\n\r\nok", "\r\n", "", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"][..]);
    (filler, end)
        .prop_map(|(filler, end)| {
            let begin = if filler.starts_with(['H', '\r']) { "" } else { "HTTP/1.1 200 OK\r\n" };
            let after = if begin.is_empty() { "HTTP/1.1 200 OK\r\n" } else { "" };
            latin(&[begin, &filler, after, end].concat())
        })
        .boxed()
}
