//! Reading the document: its members, and its types in words.

use serde_json::Value;

/// Something with a name and a type.
pub struct Row {
    /// Its name.
    pub name: String,
    /// Where it stands, and whether it may be left out.
    pub place: String,
    /// Its type.
    pub kind: Vec<Word>,
    /// What it says.
    pub says: String,
}

/// A part of a type's name.
pub struct Word {
    /// The text.
    pub text: String,
    /// Whether it is a schema of the document.
    pub link: bool,
}

/// A text at a pointer; empty where there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A list at a pointer.
pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The members of an object at a pointer.
pub fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let members = value.pointer(pointer).and_then(Value::as_object);
    members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The media types of a body with what is in them.
pub fn contents(body: &Value) -> Vec<Word> {
    let mut words = Vec::new();
    for (media, of) in members(body, "/content") {
        if !words.is_empty() {
            words.push(plain(" or "));
        }
        let schema = of.get("schema").map(kind).unwrap_or_default();
        if schema.iter().any(|word| word.link) {
            words.extend(schema);
        } else {
            words.push(plain(media));
        }
    }
    words
}

/// The fields of an object; those of a part of it, too.
pub fn fields(of: &Value) -> Vec<Row> {
    let required: Vec<&str> = items(of, "/required").iter().filter_map(Value::as_str).collect();
    let own = members(of, "/properties").map(|(name, schema)| Row {
        name: name.to_owned(),
        place: if required.contains(&name) { "" } else { "may be absent" }.to_owned(),
        kind: kind(schema),
        says: text(schema, "/description").to_owned(),
    });
    let mut rows: Vec<Row> = own.collect();
    if !rows.is_empty() {
        for part in ["/oneOf", "/anyOf", "/allOf"].iter().flat_map(|part| items(of, part)) {
            rows.extend(fields(part).into_iter().map(|row| Row { place: "in some cases".to_owned(), ..row }));
        }
    }
    rows
}

fn plain(text: impl Into<String>) -> Word {
    Word { text: text.into(), link: false }
}

/// A type in words.
pub fn kind(schema: &Value) -> Vec<Word> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|link| link.rsplit('/').next()) {
        return vec![Word { text: name.to_owned(), link: true }];
    }
    for part in ["/anyOf", "/oneOf", "/allOf"] {
        let parts = items(schema, part);
        if !parts.is_empty() {
            return listed(parts.iter().map(kind), if part == "/allOf" { " and " } else { " or " });
        }
    }
    if let Some(constant) = schema.get("const") {
        return vec![plain(constant.to_string())];
    }
    let names = items(schema, "/enum");
    if !names.is_empty() {
        return listed(names.iter().map(|name| vec![plain(name.to_string())]), ", ");
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return vec![plain("anything")],
    };
    listed(kinds.into_iter().map(|name| of_kind(name, schema)), " or ")
}

fn of_kind(name: &str, schema: &Value) -> Vec<Word> {
    match name {
        "array" => {
            let mut words = vec![plain("list of ")];
            words.extend(schema.get("items").map_or_else(|| vec![plain("anything")], kind));
            words
        }
        "object" => {
            let mut words = vec![plain("object")];
            if let Some(of) = schema.get("additionalProperties").filter(|of| of.is_object()) {
                words.push(plain(" of "));
                words.extend(kind(of));
            } else {
                let fields: Vec<&str> = members(schema, "/properties").map(|(name, _)| name).collect();
                if !fields.is_empty() {
                    words.push(plain(format!(" with {}", fields.join(", "))));
                }
            }
            words
        }
        "string" => match schema.get("format").and_then(Value::as_str) {
            Some(format) => vec![plain(format)],
            None => vec![plain("string")],
        },
        other => {
            let bounds = [("minimum", " from "), ("maximum", " to ")].into_iter();
            let said = bounds.filter_map(|(name, word)| Some(format!("{word}{}", schema.get(name)?)));
            vec![plain(std::iter::once(other.to_owned()).chain(said).collect::<String>())]
        }
    }
}

fn listed(parts: impl Iterator<Item = Vec<Word>>, between: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for part in parts {
        if !words.is_empty() {
            words.push(plain(between));
        }
        words.extend(part);
    }
    words
}
