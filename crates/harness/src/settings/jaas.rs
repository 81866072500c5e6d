//! The value of `sasl.jaas.config`: one login module with its options, as Kafka's `JaasConfig` reads it.

use std::collections::BTreeMap;

/// A login module and its options. Not `Debug`: the options hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LoginModule {
    /// The class.
    pub(crate) class: String,
    /// The options.
    pub(crate) options: BTreeMap<String, String>,
}

/// Reads the value; the error says what is wrong, without any part of it that could be a secret.
pub(crate) fn parse(text: &str) -> Result<LoginModule, &'static str> {
    let mut tokens = tokens(text)?.into_iter();
    let class = match tokens.next() {
        Some(Token::Word(class)) => class,
        _ => return Err("it begins with no login module"),
    };
    match tokens.next() {
        Some(Token::Word(flag))
            if ["required", "requisite", "sufficient", "optional"]
                .iter()
                .any(|known| flag.eq_ignore_ascii_case(known)) => {}
        _ => return Err("after the login module comes `required`"),
    }
    let mut options = BTreeMap::new();
    loop {
        let key = match tokens.next() {
            Some(Token::Word(key)) => key,
            Some(Token::End) => break,
            _ => return Err("it does not end with a semicolon"),
        };
        match (tokens.next(), tokens.next()) {
            (Some(Token::Equals), Some(Token::Word(value) | Token::Quoted(value))) => {
                options.insert(key, value);
            }
            _ => return Err("an option is not of the form name=\"value\""),
        }
    }
    match tokens.next() {
        None => Ok(LoginModule { class, options }),
        Some(_) => Err("more than one login module"),
    }
}

enum Token {
    Word(String),
    Quoted(String),
    Equals,
    End,
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '=' => tokens.push(Token::Equals),
            ';' => tokens.push(Token::End),
            '"' | '\'' => {
                let mut value = String::new();
                loop {
                    match chars.next() {
                        None => return Err("a quotation mark is not closed"),
                        Some(end) if end == char => break,
                        Some('\\') => value.push(match chars.next() {
                            Some('n') => '\n',
                            Some('t') => '\t',
                            Some('r') => '\r',
                            Some(other) => other,
                            None => return Err("a quotation mark is not closed"),
                        }),
                        Some(other) => value.push(other),
                    }
                }
                tokens.push(Token::Quoted(value));
            }
            blank if blank.is_whitespace() => {}
            first => {
                let mut word = String::from(first);
                let inside = |char: &char| !char.is_whitespace() && !"=;\"'".contains(*char);
                while let Some(char) = chars.next_if(inside) {
                    word.push(char);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_login_module_is_read_with_its_options() {
        let text = "org.apache.kafka.common.security.plain.PlainLoginModule required \
                    username=\"alice\"  password = \"a \\\"b\\\\;\" x=y;";
        let module = parse(text).ok().unwrap();
        assert!(module.class.ends_with(".PlainLoginModule"));
        assert_eq!(module.options["username"], "alice");
        assert_eq!(module.options["password"], "a \"b\\;");
        assert_eq!(module.options["x"], "y");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        for (text, why) in [
            ("", "no login module"),
            ("\"A\" required;", "no login module"),
            ("A username=\"x\";", "comes `required`"),
            ("A required username=\"x\"", "semicolon"),
            ("A required username \"hush\";", "form name"),
            ("A required password=\"hush;", "not closed"),
            ("A required password=\"hush\\", "not closed"),
            ("A required; B required;", "more than one"),
        ] {
            let error = parse(text).err().unwrap();
            assert!(error.contains(why) && !error.contains("hush"), "{text}: {error}");
        }
    }
}
