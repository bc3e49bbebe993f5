//! Cookies, all alike: for us alone, out of reach of scripts, and not sent along with what other sites post.

/// A `Set-Cookie` header. `max_age` in seconds; 0 deletes the cookie.
pub fn set(name: &str, value: &str, max_age: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}
