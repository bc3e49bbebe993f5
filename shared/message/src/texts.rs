//! What a mail says, all texts of one language together.

use barometer_domain::language::Language;

/// The texts of a mail in one language. `{product}`, `{name}` and `{rating}` stand for what they name.
#[derive(Debug)]
pub struct Texts {
    /// Subject line.
    pub subject: &'static str,
    /// Greeting of somebody whose name isn't known.
    pub greeting: &'static str,
    /// Greeting by name.
    pub greeting_by_name: &'static str,
    /// The question.
    pub question: &'static str,
    /// What the ends of the scale mean.
    pub scale: &'static str,
    /// What happens on a click.
    pub click: &'static str,
    /// One rating, as the text of its link.
    pub rating: &'static str,
    /// The second question.
    pub reason: &'static str,
    /// Why the reader gets this mail.
    pub why: &'static str,
    /// Text of the link that ends it.
    pub unsubscribe: &'static str,
}

/// The texts of a language.
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

const ENGLISH: Texts = Texts {
    subject: "How likely are you to recommend {product}?",
    greeting: "Hello,",
    greeting_by_name: "Hello {name},",
    question: "How likely are you to recommend {product} to a friend or colleague?",
    scale: "0 = not at all likely, 10 = extremely likely",
    click: "A click opens a page with your choice; nothing is sent before you confirm it there.",
    rating: "{rating} of 10",
    reason: "There we also ask: What is the main reason for your score?",
    why: "You get this mail because you use {product}.",
    unsubscribe: "Unsubscribe from these mails",
};

const GERMAN: Texts = Texts {
    subject: "Wie wahrscheinlich ist es, dass Sie {product} weiterempfehlen?",
    greeting: "Guten Tag,",
    greeting_by_name: "Guten Tag {name},",
    question: "Wie wahrscheinlich ist es, dass Sie {product} Freunden oder Kollegen weiterempfehlen?",
    scale: "0 = überhaupt nicht wahrscheinlich, 10 = äußerst wahrscheinlich",
    click: "Ein Klick öffnet eine Seite mit Ihrer Auswahl; gesendet wird erst, wenn Sie sie dort bestätigen.",
    rating: "{rating} von 10",
    reason: "Dort fragen wir auch: Was ist der Hauptgrund für Ihre Bewertung?",
    why: "Sie erhalten diese E-Mail, weil Sie {product} nutzen.",
    unsubscribe: "Diese E-Mails abbestellen",
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken apart, so that a text that is added can't be forgotten here.
    fn all(texts: &Texts) -> [&'static str; 10] {
        let Texts {
            subject,
            greeting,
            greeting_by_name,
            question,
            scale,
            click,
            rating,
            reason,
            why,
            unsubscribe,
        } = *texts;
        [subject, greeting, greeting_by_name, question, scale, click, rating, reason, why, unsubscribe]
    }

    #[test]
    fn every_text_is_there_and_differs_between_the_languages() {
        for (english, german) in all(&ENGLISH).into_iter().zip(all(&GERMAN)) {
            assert!(!english.trim().is_empty() && !german.trim().is_empty());
            assert_ne!(english, german);
            for place in ["{product}", "{name}", "{rating}"] {
                assert_eq!(english.contains(place), german.contains(place), "{english} {german}");
            }
        }
    }
}
