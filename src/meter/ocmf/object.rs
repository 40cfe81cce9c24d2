//! A JSON object as it stands: its fields in order, also those written twice, each value's text untouched.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of an object, in order.
pub(super) struct Object<'a>(pub Vec<(String, &'a str)>);

impl<'a> Object<'a> {
    /// Reads an object.
    pub fn read(text: &'a str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|fault| fault.to_string())
    }

    /// The text of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The text in a field that is a string.
    pub fn string(&self, name: &str) -> Option<String> {
        string(self.get(name)?)
    }

    /// Names that are written more than once.
    pub fn twice(&self) -> Vec<&str> {
        let names = self.0.iter().enumerate();
        let again = names.filter(|(n, (key, _))| self.0[..*n].iter().any(|(before, _)| before == key));
        again.map(|(_, (key, _))| key.as_str()).collect()
    }
}

/// The content of a JSON string; `None` where it is something else.
pub(super) fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(String, &'de str)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = vec![];
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((key, value.get()));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Object)
    }
}
