//! What stands in an address behind the question mark.

/// The first value of a name, with its escapes undone; nothing when it isn't there or is empty.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let (_, value) = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name)?;
    Some(value.into_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_the_first_of_its_name_and_empty_ones_count_as_absent() {
        assert_eq!(parameter("a=1&b=x%26y+z&b=2", "b").as_deref(), Some("x&y z"));
        assert_eq!(parameter("a=&ab=1", "a"), None);
        assert_eq!(parameter("", "a"), None);
    }
}
