//! An answer, and how it is written for CGI and FastCGI alike (RFC 3875 6).

/// A status with its reason phrase, which nginx leaves out unless it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 200.
    Ok,
    /// 201.
    Created,
    /// 304.
    NotModified,
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 408.
    RequestTimeout,
    /// 413.
    ContentTooLarge,
    /// 429.
    TooManyRequests,
    /// 431.
    HeaderFieldsTooLarge,
    /// 503.
    ServiceUnavailable,
}

impl Status {
    /// `200 OK` and the like (RFC 9110 15).
    pub fn line(self) -> &'static str {
        match self {
            Status::Ok => "200 OK",
            Status::Created => "201 Created",
            Status::NotModified => "304 Not Modified",
            Status::BadRequest => "400 Bad Request",
            Status::Unauthorized => "401 Unauthorized",
            Status::Forbidden => "403 Forbidden",
            Status::NotFound => "404 Not Found",
            Status::MethodNotAllowed => "405 Method Not Allowed",
            Status::RequestTimeout => "408 Request Timeout",
            Status::ContentTooLarge => "413 Content Too Large",
            Status::TooManyRequests => "429 Too Many Requests",
            Status::HeaderFieldsTooLarge => "431 Request Header Fields Too Large",
            Status::ServiceUnavailable => "503 Service Unavailable",
        }
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: Status,
    content_type: &'static str,
    body: String,
    /// What caches may do with it.
    cached: &'static str,
    headers: Vec<(&'static str, String)>,
}

/// So many octets are enough for most heads.
const HEAD: usize = 384;
/// What every answer says to robots and browsers: tell nobody.
const ALWAYS: [(&str, &str); 4] = [
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
];

impl Response {
    /// Lines for clients to read.
    pub fn text(status: Status, body: impl Into<String>) -> Self {
        Response::new(status, "text/plain; charset=utf-8", body.into())
    }

    /// The same as JSON.
    pub fn json(status: Status, body: &serde_json::Value) -> Self {
        Response::new(status, "application/json", format!("{body}\n"))
    }

    /// One word; as JSON the status of an object.
    pub fn word(status: Status, word: &str, json: bool) -> Self {
        match json {
            true => Response::json(status, &serde_json::json!({ "status": word })),
            false => Response::text(status, format!("{word}\n")),
        }
    }

    /// A page for a person.
    pub fn page(status: Status, body: impl Into<String>) -> Self {
        Response::new(status, "text/html; charset=utf-8", body.into())
    }

    /// That the client has it already; such an answer has no body and no length (RFC 9110 15.4.5).
    pub fn not_modified() -> Self {
        Response::text(Status::NotModified, "")
    }

    fn new(status: Status, content_type: &'static str, body: String) -> Self {
        Response {
            status,
            content_type,
            body,
            cached: "no-store",
            headers: Vec::new(),
        }
    }

    /// Adds a header field; `value` is ours, never the client's.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Lets caches keep it (RFC 9111 5.2.2); otherwise no answer is kept anywhere.
    pub fn cached(mut self, how: &'static str) -> Self {
        self.cached = how;
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Head and body as a gateway hands them on; a HEAD is answered with the head alone
    /// (RFC 9110 9.3.2).
    pub fn octets(&self, head_only: bool) -> Vec<u8> {
        let mut text = String::with_capacity(HEAD + self.body.len());
        let mut field = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                text.push_str(part);
            }
        };
        field("Status", self.status.line());
        if self.status != Status::NotModified {
            field("Content-Type", self.content_type);
            field("Content-Length", &self.body.len().to_string());
        }
        field("Cache-Control", self.cached);
        let own = self.headers.iter().map(|(name, value)| (*name, &**value));
        for (name, value) in ALWAYS.into_iter().chain(own) {
            field(name, value);
        }
        text.push_str("\r\n");
        if !head_only {
            text.push_str(&self.body);
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_whole() {
        let response =
            Response::text(Status::ServiceUnavailable, "911\n").with("Retry-After", "300");
        let text = String::from_utf8(response.octets(false)).unwrap();
        assert!(text.starts_with("Status: 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\n"));
        assert!(text.contains("\r\nCache-Control: no-store\r\n"));
        assert!(text.ends_with("\r\nRetry-After: 300\r\n\r\n911\n"));
        assert!(response.octets(true).ends_with(b"Retry-After: 300\r\n\r\n"));
    }
}
