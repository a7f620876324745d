//! Label selectors as text, read by the grammar of the API server and refused in its words (apimachinery, `labels`).

use super::{Requirement, Test};
use crate::rehearsal::cluster::validate::{wrong_key, wrong_value};

const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

/// Reads the requirements of a selector.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut reader = Reader { rest: text };
    let mut all = Vec::new();
    loop {
        match reader.peek() {
            "" if all.is_empty() => return Ok(all),
            found if found == "!" || is_word(found) => {}
            found if all.is_empty() => return Err(expected(found, "!, identifier, or 'end of string'")),
            found => return Err(expected(found, "identifier after ','")),
        }
        all.push(reader.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
        match reader.next() {
            "" => return Ok(all),
            "," => {}
            found => return Err(expected(found, "',' or 'end of string'")),
        }
    }
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// The next token; nothing at the end.
    fn peek(&self) -> &'a str {
        let rest = self.rest.trim_start();
        let special = |letter: char| "=!(),<>".contains(letter);
        let operator = ["==", "!="].into_iter().find(|two| rest.starts_with(two));
        let end = match (operator, rest.chars().next()) {
            (Some(two), _) => two.len(),
            (None, Some(letter)) if special(letter) => letter.len_utf8(),
            _ => rest.find(|letter: char| special(letter) || letter.is_whitespace()).unwrap_or(rest.len()),
        };
        &rest[..end]
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.rest = &self.rest.trim_start()[token.len()..];
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_absent = self.peek() == "!";
        if is_absent {
            self.next();
        }
        let key = self.next();
        if !is_word(key) {
            return Err(expected(key, "identifier"));
        }
        if let Some(why) = wrong_key(key) {
            return Err(format!("key: Invalid value: {key:?}: {why}"));
        }
        let test = match (is_absent, self.peek()) {
            (true, _) => Test::Absent,
            (false, "" | ",") => Test::Exists,
            (false, _) => self.test(key)?,
        };
        Ok(Requirement { key: key.to_owned(), test })
    }

    fn test(&mut self, key: &str) -> Result<Test, String> {
        let operator = self.next();
        match operator {
            "in" | "notin" => {
                let values = self.list()?;
                check(key, &values)?;
                Ok(if operator == "in" { Test::In(values) } else { Test::NotIn(values) })
            }
            "=" | "==" | "!=" => {
                let values = vec![self.value()?];
                check(key, &values)?;
                Ok(if operator == "!=" { Test::NotIn(values) } else { Test::In(values) })
            }
            ">" | "<" => {
                let value = self.value()?;
                let integer = "for 'Gt', 'Lt' operators, the value must be an integer";
                let bound =
                    value.parse().map_err(|_| format!("values[0][{key}]: Invalid value: {value:?}: {integer}"))?;
                Ok(if operator == ">" { Test::Above(bound) } else { Test::Below(bound) })
            }
            found => Err(expected(found, OPERATORS)),
        }
    }

    /// One value, which may be empty.
    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            "" | "," => Ok(String::new()),
            found if is_word(found) => Ok(self.next().to_owned()),
            found => Err(expected(found, "identifier")),
        }
    }

    /// Values in parentheses; a comma with nothing beside it stands for the empty one.
    fn list(&mut self) -> Result<Vec<String>, String> {
        let open = self.next();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                ")" | "," => values.push(String::new()),
                found if is_word(found) => values.push(self.next().to_owned()),
                found if values.is_empty() => return Err(expected(found, "',', ')' or identifier")),
                found => return Err(expected(found, "',', or identifier")),
            }
            match self.next() {
                "," => {}
                ")" => return Ok(values),
                found => return Err(expected(found, "',' or ')'")),
            }
        }
    }
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(['=', '!', '(', ')', ',', '<', '>'])
}

fn expected(found: &str, what: &str) -> String {
    format!("found '{found}', expected: {what}")
}

fn check(key: &str, values: &[String]) -> Result<(), String> {
    for (index, value) in values.iter().enumerate() {
        if let Some(why) = wrong_value(value) {
            return Err(format!("values[{index}][{key}]: Invalid value: {value:?}: {why}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_as_the_api_server_tells_it() {
        for (text, want) in [
            ("app in (my-api", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a==b==c", "found '==', expected: ',' or 'end of string'"),
            ("app=bad value!", "found 'value', expected: ',' or 'end of string'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a,", "found '', expected: identifier after ','"),
            (")", "found ')', expected: !, identifier, or 'end of string'"),
            ("a in x", "unable to parse requirement: found 'x' expected: '('"),
            (
                "a>b",
                "unable to parse requirement: values[0][a]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), want, "{text}");
        }
        for (text, want) in
            [("-bad-=x", "key: Invalid value: \"-bad-\": name part"), ("a=-", "values[0][a]: Invalid value: \"-\"")]
        {
            assert!(parse(text).unwrap_err().contains(want), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_is() {
        let requirement = |key: &str, test| Requirement { key: key.to_owned(), test };
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(parse(" "), Ok(Vec::new()));
        assert_eq!(
            parse("a in ( x,y,) , !b,c,x>3,e.com/f!=,in=notin"),
            Ok(vec![
                requirement("a", Test::In(texts(&["x", "y", ""]))),
                requirement("b", Test::Absent),
                requirement("c", Test::Exists),
                requirement("x", Test::Above(3)),
                requirement("e.com/f", Test::NotIn(texts(&[""]))),
                requirement("in", Test::In(texts(&["notin"]))),
            ])
        );
    }
}
