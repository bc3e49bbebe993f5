//! Which clients run on a person's device, whose clock may be wrong.

/// Names of libraries that run in browsers and on phones, in lower case; a library belongs here when its name is
/// one of these or one of these followed by anything but a letter. All others, and requests without a library, are
/// servers.
const LIBRARIES: &[&str] = &[
    // Segment
    "analytics.js",
    "analytics-ios",
    "analytics-swift",
    "analytics-android",
    "analytics-kotlin",
    "analytics-react-native",
    "@segment/analytics-react-native",
    "analytics_flutter",
    "analytics-flutter",
    "analytics-xamarin",
    // RudderStack
    "rudderlabs javascript sdk",
    "rudder-ios-library",
    "rudder-android-library",
    "com.rudderstack.android.sdk.core",
    "com.rudderstack.sdk.kotlin",
    "rudder-react-native",
    "rudder-flutter",
    "rudder-swift-sdk",
    // Jitsu, PostHog
    "@jitsu/js",
    "posthog-js",
    "posthog-ios",
    "posthog-android",
    "posthog-react-native",
    "posthog-flutter",
];

/// Whether an event comes from a browser or a phone, by its `channel` where it has one (RudderStack and
/// Segment's browser client say it), else by where its library says it runs (Jitsu's says `browser` or `node`), else
/// by `context.library.name`.
pub fn is_device(channel: Option<&str>, library: Option<&str>, environment: Option<&str>) -> bool {
    match channel.map(str::to_ascii_lowercase).as_deref() {
        Some("browser" | "web" | "mobile" | "client") => return true,
        Some("server" | "sources") => return false,
        _ => {}
    }
    match environment.map(str::to_ascii_lowercase).as_deref() {
        Some("browser") => return true,
        Some("node") => return false,
        _ => {}
    }
    library.is_some_and(|library| {
        let library = library.trim().to_ascii_lowercase();
        LIBRARIES.iter().any(|known| {
            library
                .strip_prefix(known)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphabetic()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::is_device;

    #[test]
    fn tells_devices_from_servers() {
        for library in ["analytics.js", "Analytics-iOS", "RudderLabs JavaScript SDK", "rudder-flutter-sdk"] {
            assert!(is_device(None, Some(library), None), "{library}");
        }
        for library in ["@segment/analytics-node", "analytics-python", "analytics-node", "analytics-iosx", ""]
        {
            assert!(!is_device(None, Some(library), None), "{library}");
        }
        assert!(!is_device(None, None, None));
        assert!(is_device(Some("mobile"), Some("analytics-python"), None));
        assert!(!is_device(Some("server"), Some("analytics.js"), None));
        assert!(!is_device(None, Some("@jitsu/js"), Some("node")));
        assert!(is_device(None, Some("@jitsu/js"), Some("browser")));
        assert!(is_device(Some("other"), Some("analytics.js"), None));
    }
}
