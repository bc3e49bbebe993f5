//! The shapes in which analytics tools hand out their events, told apart by their headers.

use super::columns::normal;

/// Whose export a file of events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// One column for each field.
    Plain,
    /// Mixpanel: `event`, `distinct_id`, `time`, `$insert_id`; every other column is a property.
    Mixpanel,
    /// Amplitude: `event_type`, `user_id`, `device_id`, `event_time`, `$insert_id` or `uuid`, `event_properties`
    /// and `groups` as JSON.
    Amplitude,
    /// PostHog: `event`, `distinct_id`, `timestamp`, `uuid`, `properties` as JSON or one column for each.
    Posthog,
}

impl Shape {
    /// The shape that a header shows.
    #[must_use]
    pub fn of(header: &[String]) -> Self {
        let names: Vec<String> = header.iter().map(|name| normal(name)).collect();
        let has = |name: &str| {
            names.iter().any(|column| column == name || column.strip_prefix("properties.") == Some(name))
        };
        let named = has("event") || has("eventname");
        if has("eventtype") && (has("eventtime") || has("amplitudeid") || has("clienteventtime")) {
            Self::Amplitude
        } else if named && has("distinctid") && has("timestamp") {
            Self::Posthog
        } else if named && ((has("distinctid") && has("time")) || has("$insertid")) {
            Self::Mixpanel
        } else {
            Self::Plain
        }
    }

    /// The path on which ingestion reads what is sent of it.
    #[must_use]
    pub fn path(self) -> &'static str {
        if self == Self::Posthog { "/batch/" } else { "/v1/batch" }
    }

    /// As it is written on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Mixpanel => "mixpanel",
            Self::Amplitude => "amplitude",
            Self::Posthog => "posthog",
        }
    }
}

/// What an event of a tool's own is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Somebody did something.
    Track,
    /// Somebody saw a page.
    Page,
    /// Somebody saw a screen.
    Screen,
    /// Two ids are one person.
    Alias,
    /// Who somebody is.
    Identify,
    /// The tool's own bookkeeping: nobody did anything.
    Nothing,
}

/// What an event with this name means in an export of this shape.
pub(super) fn meaning(shape: Shape, event: &str) -> Meaning {
    match (shape, event) {
        (Shape::Mixpanel, "$identify") => Meaning::Identify,
        (Shape::Mixpanel, "$create_alias") => Meaning::Alias,
        (Shape::Mixpanel, "$merge" | "$experiment_started")
        | (Shape::Amplitude, "$identify" | "$groupidentify") => Meaning::Nothing,
        (Shape::Mixpanel, "$mp_web_page_view") | (Shape::Amplitude, "[Amplitude] Page Viewed") => {
            Meaning::Page
        }
        _ => Meaning::Track,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_tell_the_shapes_apart() {
        for (header, shape) in [
            ("event,user_id,timestamp,company_id", Shape::Plain),
            ("name,id,date", Shape::Plain),
            ("event,distinct_id,time,$insert_id,plan", Shape::Mixpanel),
            ("Event Name,Distinct ID,Time,Browser", Shape::Mixpanel),
            ("event,properties.distinct_id,properties.time,properties.$insert_id", Shape::Mixpanel),
            (
                "$insert_id,amplitude_id,device_id,event_properties,event_time,event_type,groups,user_id",
                Shape::Amplitude,
            ),
            ("uuid,event,distinct_id,properties,timestamp", Shape::Posthog),
            ("*.uuid,*.event,*.properties.$browser,*.timestamp,*.distinct_id", Shape::Posthog),
            ("id,distinct_id,properties.$browser,event,timestamp,person", Shape::Posthog),
        ] {
            let names: Vec<String> = header.split(',').map(str::to_owned).collect();
            assert_eq!(Shape::of(&names), shape, "{header}");
        }
    }
}
