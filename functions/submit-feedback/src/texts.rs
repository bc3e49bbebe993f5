//! What the pages say, all texts of one language together.

use barometer_domain::language::Language;

/// The texts of the pages in one language. `{product}` and `{rating}` stand for what they name.
#[derive(Debug)]
pub struct Texts {
    /// The question.
    pub question: &'static str,
    /// What the ends of the scale mean.
    pub scale: &'static str,
    /// The second question.
    pub reason: &'static str,
    /// Below the second question.
    pub optional: &'static str,
    /// The button of a first answer.
    pub send: &'static str,
    /// The button of a changed answer.
    pub change: &'static str,
    /// Above an answer that was given before.
    pub answered: &'static str,
    /// Title after an answer.
    pub thanks: &'static str,
    /// What was recorded.
    pub recorded: &'static str,
    /// The link back to the answer.
    pub revise: &'static str,
    /// The link to the unsubscribe page.
    pub unsubscribe: &'static str,
    /// Title of the unsubscribe page.
    pub unsubscribe_title: &'static str,
    /// What unsubscribing does.
    pub unsubscribe_question: &'static str,
    /// The button that does it.
    pub unsubscribe_button: &'static str,
    /// Title once it is done.
    pub unsubscribed: &'static str,
    /// What it means once it is done.
    pub unsubscribed_detail: &'static str,
    /// The button that takes it back.
    pub resubscribe_button: &'static str,
    /// Title once it is taken back.
    pub resubscribed: &'static str,
    /// What it means once it is taken back.
    pub resubscribed_detail: &'static str,
    /// Before the title of a page that needs another look.
    pub mistake: &'static str,
    /// No rating, or none from 0 to 10.
    pub no_rating: &'static str,
    /// A comment that is too long.
    pub long_comment: &'static str,
    /// Title and text: no such link.
    pub not_found: [&'static str; 2],
    /// Title and text: the link has expired.
    pub closed: [&'static str; 2],
    /// Title and text: the method has no meaning here.
    pub no_method: [&'static str; 2],
    /// Title and text: the body isn't a form.
    pub no_form: [&'static str; 2],
    /// Title and text: the body is too large.
    pub too_large: [&'static str; 2],
    /// Title and text: too many changes.
    pub too_many: [&'static str; 2],
    /// Title and text: subscribed again a moment ago.
    pub too_soon: [&'static str; 2],
    /// Title and text: the link of a test mail.
    pub test: [&'static str; 2],
    /// Title and text: the store can't be reached.
    pub unavailable: [&'static str; 2],
    /// Title and text: our fault.
    pub internal: [&'static str; 2],
}

/// The texts of a language.
pub fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    }
}

const ENGLISH: Texts = Texts {
    question: "How likely are you to recommend {product} to a friend or colleague?",
    scale: "0 = not at all likely, 10 = extremely likely",
    reason: "What is the main reason for your score?",
    optional: "Optional, up to 5,000 characters",
    send: "Send answer",
    change: "Change answer",
    answered: "You have answered already. Your answer is shown here, and you can change it.",
    thanks: "Thank you",
    recorded: "Your answer was recorded: {rating} of 10.",
    revise: "Change your answer",
    unsubscribe: "Unsubscribe from these mails",
    unsubscribe_title: "Unsubscribe",
    unsubscribe_question: "You will get no more automated mails about {product}.",
    unsubscribe_button: "Unsubscribe",
    unsubscribed: "You are unsubscribed",
    unsubscribed_detail: "You get no more automated mails about {product}. You can close this page.",
    resubscribe_button: "Subscribe again",
    resubscribed: "You are subscribed again",
    resubscribed_detail: "You may get automated mails about {product} again, no more often than before.",
    mistake: "Please check:",
    no_rating: "Please choose a whole number from 0 to 10.",
    long_comment: "The text has more than 5,000 characters. Please shorten it.",
    not_found: ["This link isn't valid", "It may be incomplete. Please open it again from the mail."],
    closed: [
        "This question is closed",
        "The time to answer is over. Thank you for coming by; we will ask again another time.",
    ],
    no_method: ["This doesn't work here", "Please open the link from the mail again."],
    no_form: ["This can't be read", "Please open the link from the mail again and answer on the page."],
    too_large: ["This is too long", "Please go back and shorten the text to 5,000 characters."],
    too_many: [
        "Too many changes",
        "Your last answer is kept. Please wait an hour before you change it again.",
    ],
    too_soon: ["Just a moment", "You changed this a moment ago. Please wait a minute and try again."],
    test: [
        "This is a test",
        "The mail with this link was sent to see what it looks like. Nothing is asked or recorded here.",
    ],
    unavailable: [
        "Please try again",
        "Your answer can't be recorded at the moment. Please try again shortly.",
    ],
    internal: ["Something went wrong", "The fault is ours. Please try again later."],
};

const GERMAN: Texts = Texts {
    question: "Wie wahrscheinlich ist es, dass Sie {product} Freunden oder Kollegen weiterempfehlen?",
    scale: "0 = überhaupt nicht wahrscheinlich, 10 = äußerst wahrscheinlich",
    reason: "Was ist der Hauptgrund für Ihre Bewertung?",
    optional: "Freiwillig, bis zu 5.000 Zeichen",
    send: "Antwort senden",
    change: "Antwort ändern",
    answered: "Sie haben schon geantwortet. Hier steht Ihre Antwort; Sie können sie ändern.",
    thanks: "Vielen Dank",
    recorded: "Ihre Antwort wurde gespeichert: {rating} von 10.",
    revise: "Antwort ändern",
    unsubscribe: "Diese E-Mails abbestellen",
    unsubscribe_title: "E-Mails abbestellen",
    unsubscribe_question: "Sie erhalten dann keine automatischen E-Mails zu {product} mehr.",
    unsubscribe_button: "Abbestellen",
    unsubscribed: "Die E-Mails sind abbestellt",
    unsubscribed_detail: "Sie erhalten keine automatischen E-Mails zu {product} mehr. Sie können diese Seite schließen.",
    resubscribe_button: "Wieder abonnieren",
    resubscribed: "Die E-Mails sind wieder abonniert",
    resubscribed_detail: "Sie können wieder automatische E-Mails zu {product} erhalten, nicht öfter als zuvor.",
    mistake: "Bitte prüfen:",
    no_rating: "Bitte wählen Sie eine ganze Zahl von 0 bis 10.",
    long_comment: "Der Text hat mehr als 5.000 Zeichen. Bitte kürzen Sie ihn.",
    not_found: [
        "Dieser Link ist ungültig",
        "Vielleicht ist er unvollständig. Bitte öffnen Sie ihn noch einmal aus der E-Mail.",
    ],
    closed: [
        "Diese Frage ist geschlossen",
        "Die Zeit zum Antworten ist vorbei. Danke für Ihren Besuch; wir fragen ein andermal wieder.",
    ],
    no_method: ["Das geht hier nicht", "Bitte öffnen Sie den Link noch einmal aus der E-Mail."],
    no_form: [
        "Das ist nicht lesbar",
        "Bitte öffnen Sie den Link noch einmal aus der E-Mail und antworten Sie auf der Seite.",
    ],
    too_large: ["Das ist zu lang", "Bitte gehen Sie zurück und kürzen Sie den Text auf 5.000 Zeichen."],
    too_many: [
        "Zu viele Änderungen",
        "Ihre letzte Antwort bleibt gespeichert. Bitte warten Sie eine Stunde, bevor Sie sie wieder ändern.",
    ],
    too_soon: [
        "Einen Augenblick",
        "Sie haben das eben erst geändert. Bitte warten Sie eine Minute und versuchen Sie es noch einmal.",
    ],
    test: [
        "Das ist ein Test",
        "Die E-Mail mit diesem Link wurde verschickt, um zu sehen, wie sie aussieht. Hier wird nichts gefragt oder \
         gespeichert.",
    ],
    unavailable: [
        "Bitte noch einmal versuchen",
        "Ihre Antwort kann gerade nicht gespeichert werden. Bitte versuchen Sie es gleich noch einmal.",
    ],
    internal: [
        "Etwas ist schiefgegangen",
        "Der Fehler liegt bei uns. Bitte versuchen Sie es später noch einmal.",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Taken apart, so that a text that is added can't be forgotten here.
    fn all(texts: &Texts) -> Vec<&'static str> {
        let Texts {
            question,
            scale,
            reason,
            optional,
            send,
            change,
            answered,
            thanks,
            recorded,
            revise,
            unsubscribe,
            unsubscribe_title,
            unsubscribe_question,
            unsubscribe_button,
            unsubscribed,
            unsubscribed_detail,
            resubscribe_button,
            resubscribed,
            resubscribed_detail,
            mistake,
            no_rating,
            long_comment,
            not_found,
            closed,
            no_method,
            no_form,
            too_large,
            too_many,
            too_soon,
            test,
            unavailable,
            internal,
        } = *texts;
        let pairs = [
            not_found,
            closed,
            no_method,
            no_form,
            too_large,
            too_many,
            too_soon,
            test,
            unavailable,
            internal,
        ];
        let mut all = vec![
            question,
            scale,
            reason,
            optional,
            send,
            change,
            answered,
            thanks,
            recorded,
            revise,
            unsubscribe,
            unsubscribe_title,
            unsubscribe_question,
            unsubscribe_button,
            unsubscribed,
            unsubscribed_detail,
            resubscribe_button,
            resubscribed,
            resubscribed_detail,
            mistake,
            no_rating,
            long_comment,
        ];
        all.extend(pairs.into_iter().flatten());
        all
    }

    #[test]
    fn every_text_is_there_and_differs_between_the_languages() {
        for (english, german) in all(&ENGLISH).into_iter().zip(all(&GERMAN)) {
            assert!(!english.trim().is_empty() && !german.trim().is_empty());
            assert_ne!(english, german);
            for place in ["{product}", "{rating}"] {
                assert_eq!(english.contains(place), german.contains(place), "{english} {german}");
            }
        }
    }
}
