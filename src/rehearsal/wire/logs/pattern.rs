//! Filter patterns for unstructured log events ("Filter pattern syntax" of the CloudWatch Logs guide): terms, quoted
//! terms, `?optional`, `-excluded`. JSON, space-delimited and `%regex%` patterns are refused, not misread.

/// A pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    required: Vec<String>,
    optional: Vec<String>,
    excluded: Vec<String>,
}

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    ///
    /// # Errors
    /// The service's message, for syntax it refuses or this rehearsal does not simulate.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err("Invalid filter pattern: a rehearsal matches terms only.".to_owned());
        }
        while !rest.is_empty() {
            let (list, after) = match rest.split_at_checked(1) {
                Some(("?", after)) => (&mut pattern.optional, after),
                Some(("-", after)) => (&mut pattern.excluded, after),
                _ => (&mut pattern.required, rest),
            };
            let (term, after) = term(after)?;
            list.push(term);
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Whether a message matches: case counts, a term is a substring. Every required term must be there and no excluded
    /// one; optional terms count only where none is required.
    pub fn matches(&self, message: &str) -> bool {
        self.required.iter().all(|term| message.contains(term))
            && !self.excluded.iter().any(|term| message.contains(term))
            && (!self.required.is_empty()
                || self.optional.is_empty()
                || self.optional.iter().any(|term| message.contains(term)))
    }
}

/// A term and what follows: quoted, or of letters, digits and underscores.
fn term(text: &str) -> Result<(String, &str), String> {
    if let Some(inside) = text.strip_prefix('"') {
        let mut term = String::new();
        let mut characters = inside.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return Ok((term, &inside[at + 1..])),
                '\\' => term.extend(characters.next().map(|(_, escaped)| escaped)),
                other => term.push(other),
            }
        }
        return Err("Invalid filter pattern: a quote is not closed.".to_owned());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.is_empty() || !term.chars().all(|character| character.is_alphanumeric() || character == '_') {
        return Err(format!("Invalid filter pattern: {term:?} must be in double quotes."));
    }
    Ok((term.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_match_as_the_guide_says() {
        let cases = [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR", "an error here", false),
            ("ERROR Exception", "ERROR: Exception", true),
            ("ERROR Exception", "ERROR only", false),
            ("?OOMKilled ?OutOfMemoryError", "java.lang.OutOfMemoryError", true),
            ("?OOMKilled ?OutOfMemoryError", "INFO", false),
            ("ERROR -heap", "ERROR in heap", false),
            ("-INFO", "WARN", true),
            ("-INFO", "INFO", false),
            ("\"exit code 137\"", "with exit code 137.", true),
            ("\"exit code 137\"", "code 137 exit", false),
            ("?\"a b\" -c", "a b", true),
            ("?\"a b\" -c", "a b c", false),
            ("\"say \\\"hi\\\"\"", "say \"hi\"", true),
            ("ERROR ?WARN", "ERROR", true),
            ("ERROR ?WARN", "WARN", false),
        ];
        for (pattern, message, expected) in cases {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(message), expected, "{pattern} on {message}");
        }
    }

    #[test]
    fn what_the_service_refuses_is_refused() {
        for pattern in ["java.lang.Error", "\"open", "{ $.level = \"ERROR\" }", "[ip, user]", "%[0-9]+%", "?"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
