//! Fenced blocks of a reply: code and prose that a model hands over beside its talk.

/// One fenced block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Block {
    /// What stands after the opening fence: `python`, `train.py`, `python train.py`.
    pub(crate) info: String,
    /// The lines between the fences, each with its line end.
    pub(crate) content: String,
    /// The line before the opening fence, without decoration: models write names of files there.
    pub(crate) before: String,
    /// Whether the closing fence is there.
    pub(crate) closed: bool,
}

impl Block {
    /// Whether the block carries a name, in its opening line or in the line before it.
    pub(crate) fn named(&self, name: &str) -> bool {
        let bare = |text: &str| text.trim_matches(['`', '*', ':', '#', ' ', '"']).to_owned();
        self.info.split_whitespace().any(|word| {
            let word = word.rsplit_once('=').map_or(word, |(_, value)| value);
            bare(word) == name
        }) || bare(&self.before) == name
    }
}

/// The fenced blocks of a text, in order. A fence inside a block is longer fences' business: a block ends
/// at a fence of the same sign that is at least as long as the one that opened it.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(char, usize, Block)> = None;
    let mut before = String::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let sign = bare.chars().next().filter(|sign| matches!(sign, '`' | '~'));
        let length = sign.map_or(0, |sign| bare.chars().take_while(|c| *c == sign).count());
        match &mut open {
            Some((own, at_least, block)) => {
                let closes = sign == Some(*own) && length >= *at_least && bare.len() == length;
                if closes {
                    block.closed = true;
                    found.extend(open.take().map(|(_, _, block)| block));
                    before.clear();
                } else {
                    block.content.push_str(line);
                }
            }
            None => match sign {
                Some(sign) if length >= 3 => {
                    let block = Block {
                        info: bare[length..].trim().to_owned(),
                        content: String::new(),
                        before: std::mem::take(&mut before),
                        closed: false,
                    };
                    open = Some((sign, length, block));
                }
                _ if !bare.is_empty() => before = bare.to_owned(),
                _ => {}
            },
        }
    }
    found.extend(open.map(|(_, _, block)| block));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_names_wherever_models_write_them() {
        let text = "Talk.\n```python train.py\nx = 1\n```\n**eval.py**\n\n~~~\ny = 2\n~~~\n";
        let found = blocks(text);
        assert_eq!(found.len(), 2);
        assert!(found[0].named("train.py") && found[0].named("python"));
        assert!(found[1].named("eval.py") && !found[1].named("train.py"));
        assert_eq!(found[1].content, "y = 2\n");
    }

    #[test]
    fn longer_fences_hold_shorter_ones() {
        let text = "````note\nSee:\n```\ninner\n```\n````\n";
        let found = blocks(text);
        assert_eq!(found.len(), 1);
        assert!(found[0].content.contains("inner") && found[0].closed);
    }

    #[test]
    fn an_open_block_says_so() {
        assert!(!blocks("```a\nx = 1\n")[0].closed);
    }
}
