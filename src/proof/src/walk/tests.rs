use crate::tests::pieces;

fn read(text: &str, pointer: &str) -> String {
    pieces(text.as_bytes(), Some(&pointer.parse().unwrap())).join(" ")
}

#[test]
fn records_are_read_where_the_pointer_points() {
    for (text, pointer, expected) in [
        ("", "/a", ""),
        (r#"{"a":[{"id":1},{"id":2}]}"#, "/a/*", "1@1 2@1"),
        (r#"{"x":[{"id":0}],"a":[{"id":1}],"y":{"a":"]"}}"#, "/a/*", "1@1"),
        (r#"{"a":[{"id":1}],"a":[{"id":2}]}"#, "/a/*", "1@1 2@1"),
        (r#"[[{"id":1}],[{"id":2},{"id":3}]]"#, "/*/*", "1@1 2@1 3@1"),
        (r#"[[{"id":1}],[{"id":2},{"id":3}]]"#, "/1/*", "2@1 3@1"),
        (r#"{"x":{"id":1},"y":{"id":2}}"#, "/*", "1@1 2@1"),
        (r#"{"a/b":[{"id":1}]}"#, "/a~1b/*", "1@1"),
        (r#"{"\u0061":[{"id":1}]}"#, "/a/*", "1@1"),
    ] {
        assert_eq!(read(text, pointer), expected, "{text} {pointer}");
    }
}

#[test]
fn array_of_the_last_star_is_an_element_level() {
    for (text, pointer, expected) in [
        (r#"[{"id":1},[{"id":2}],[],[[{"id":3}]]]"#, "/*", "1@1 2@1 3@1"),
        (r#"{"a":[[{"id":1}],{"id":2}],"b":[{"id":3}]}"#, "/a/*", "1@1 2@1"),
        (r#"[{"id":1},[7,{"id":2}],{"id":3}]"#, "/*", "1@1 -12@1 3@1"),
        (r#"{"a":[[{"id":1}]"#, "/a/*", "1@1 -0@1"),
        // Two arrays are open: where the inner one closes the text reads on.
        ("{\"a\":[[{\"id\":[1},\n{\"id\":2}]\n]}", "/a/*", "-9@1 2@2"),
    ] {
        assert_eq!(read(text, pointer), expected, "{text} {pointer}");
    }
}

#[test]
fn names_behind_the_last_star_are_followed_inside_of_each_element() {
    for (text, pointer, expected) in [
        // Without a star the elements are those of the source, whose brackets mean nothing.
        ("{\"a\":\n{\"id\":1}}\n{\"a\":{\"id\":2}}", "/a", "1@1 2@3"),
        (r#"[{"a":{"id":1}},[{"a":{"id":2}}]]"#, "/a", "1@1 2@1"),
        (r#"[7,{"id":1},{"id":2}]"#, "/1", "-1@1 -8@1 -8@1"),
        (r#"[[7,{"id":1}],[{"id":2},{"id":3}]]"#, "/1", "1@1 -8@1 -8@1"),
        (r#"{"1":{"id":1}}"#, "/1", "1@1"),
        (r#"{"a/b":{"~":{"id":1}}}"#, "/a~1b/~0", "1@1"),
        (r#"{"":{"id":1}}"#, "/", "1@1"),
        (r#"{"a":{"id":1},"a":{"id":2}}"#, "/a", "1@1"),
        ("\u{feff}\x1e{\"a\":{\"id\":1}},\x1e{\"a\":{\"id\":2}}", "/a", "1@1 2@1"),
        // With one.
        (r#"{"h":[{"s":{"id":1}},{"s":{"id":2}}]}"#, "/h/*/s", "1@1 2@1"),
        (r#"[{"s":[0,{"id":1}]},[0,1,2]]"#, "/*/s/1", "1@1 -7@1"),
        (r#"{"x":[{"r":{"id":1}}],"y":{"r":{"id":2}}}"#, "/*/*/r", "1@1 -8@1"),
        (r#"{"x":{"r":{"id":1}},"y":[{"id":2}],"z":7}"#, "/*/r", "1@1 -10@1 -1@1"),
        (r#"{"x":[{"id":2}]}"#, "/*/0", "2@1"),
        (r#"{"x":{"y":[{"id":2}]}}"#, "/x/*/0", "2@1"),
        // An element is valid as a whole, or is abandoned.
        (r#"[{"s":{"id":1},"x":},{"s":{"id":2}}]"#, "/*/s", "-19@1 2@1"),
    ] {
        assert_eq!(read(text, pointer), expected, "{text} {pointer}");
    }
}

#[test]
fn value_without_what_the_pointer_names_is_rejected() {
    for (text, pointer, expected) in [
        (r#"{"b":{"id":1}}"#, "/a", "-14@1"),
        (r#"{"b":[{"id":1}]}"#, "/a/*", "-16@1"),
        ("{}", "/a", "-2@1"),
        ("{}", "/*", ""),
        ("[]", "/*", ""),
        ("[]", "/0", ""),
        ("[]", "/0/*", "-2@1"),
        (r#"[[{"id":1}]]"#, "/1/*", "-12@1"),
        (r#"[[{"id":1}]]"#, "/a/*", "-12@1"),
        (r#"[{"id":1}]"#, "/01", "-8@1"),
        (r#"{"a":7}"#, "/a", "-7@1"),
        (r#"{"a":"x"}"#, "/a/*", "-3@1"),
        (r#"{"a":[1,2]}"#, "/a", "-11@1"),
        (r#"{"a":{"b":[1]}} x {"a":{"b":{"id":1}}}"#, "/a/b", "-15@1 -2@1 1@1"),
        ("7 ] }", "/a", "-2@1 -1@1 -1@1"),
        ("7 ] }", "/a/*", "-2@1 -1@1 -1@1"),
        (r#"{"a":[{"id":1},7,"x",{"x":1},{"id":2}]}"#, "/a/*", "1@1 -1@1 -3@1 -7@1 2@1"),
    ] {
        assert_eq!(read(text, pointer), expected, "{text} {pointer}");
    }
}

#[test]
fn damaged_record_costs_only_itself_but_a_damaged_container_the_rest() {
    for (text, pointer, expected) in [
        // Records.
        ("{\"a\":[\n{\"id\":1},\n{\"id\":2,\"x\":\"},\n{\"id\":3}\n]}", "/a/*", "1@2 -16@3 3@4"),
        ("{\"a\":[{\"id\":1},{\"id\":2,{\"id\":3}]}", "/a/*", "1@1 -8@1 3@1"),
        ("{\"a\":[{\"id\":[1},{\"id\":2}]}", "/a/*", "-9@1 2@1"),
        // Containers.
        ("{\"a\":[{\"id\":1}] \"b\":1}", "/a/*", "1@1 -6@1"),
        ("{\"a\" [{\"id\":1}]}\n{\"a\":[{\"id\":2}]}", "/a/*", "-28@1"),
        ("{a:[{\"id\":1}]}", "/a/*", "-13@1"),
        ("{\"a\":[{\"id\":1}],}", "/a/*", "1@1 -1@1"),
        ("{\"a\":,\"b\":1}", "/a/*", "-7@1"),
        ("[[{\"id\":1}] [{\"id\":2}]]", "/0/*", "1@1 -11@1"),
        ("{\"a\":[{\"id\":1}]]", "/a/*", "1@1 -1@1"),
        // The source ends.
        ("{\"a\":[{\"id\":1}]", "/a/*", "1@1 -0@1"),
        ("{\"a\":[{\"id\":1},", "/a/*", "1@1 -0@1"),
        ("{\"a\":[{\"id\":1", "/a/*", "-7@1 -0@1"),
        ("{\"b", "/a/*", "-0@1"),
        ("{\"b\":[{\"a\"", "/a/*", "-0@1"),
        ("{\"b\"", "/a/*", "-0@1"),
        ("[", "/0/*", "-0@1"),
        ("[1,", "/2/*", "-0@1"),
    ] {
        assert_eq!(read(text, pointer), expected, "{text} {pointer}");
    }
}
