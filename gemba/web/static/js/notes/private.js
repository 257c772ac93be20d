// What in a note looks like private data: the same questions, in the same order, as
// gemba/insights/rules/private.py, asked before anything leaves the device. Change both or neither.

const GAP = "[ \\u00a0\\u2009\\u202f\\-]";
const DASH = "[\\-\\u2010-\\u2013]";
const LOOSE = "[ \\u00a0\\u2009\\u202f\\(\\).\\u2010-\\u2013\\-]";
const WORD = "\\p{L}\\p{N}_";
const BEFORE = "(?<![\\p{L}\\p{N}])(?<![0-9][\\-.])(?<!\\+)";
const AFTER = "(?![\\p{L}\\p{N}])(?![\\-.][0-9])";
const LABEL = `[\\p{L}\\p{N}](?:[${WORD}\\-]*[\\p{L}\\p{N}])?`;

export function luhn(digits) {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const number = Number(digits[digits.length - 1 - index]) * (1 + (index % 2));
    sum += number > 9 ? number - 9 : number;
  }
  return sum % 10 === 0;
}

function innDigit(digits) {
  const weights = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8].slice(-digits.length);
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  return String((sum % 11) % 10);
}

export function isInn(digits) {
  if (digits.length === 10) return innDigit(digits.slice(0, 9)) === digits[9];
  return innDigit(digits.slice(0, 10)) === digits[10] && innDigit(digits.slice(0, 11)) === digits[11];
}

export function isSnils(digits) {
  if (Number(digits.slice(0, 9)) <= 1001998) return false;
  let sum = 0;
  for (let index = 0; index < 9; index++) sum += (9 - index) * Number(digits[index]);
  return (sum % 101) % 100 === Number(digits.slice(9));
}

const isCard = (digits) => "23456".includes(digits[0]) && luhn(digits);
const any = () => true;

const SHAPES = [
  ["email", `(?<![${WORD}.+\\-])(?<it>[${WORD}+\\-]+(?:\\.[${WORD}+\\-]+)*@${LABEL}(?:\\.${LABEL})+)`, any],
  ["card", `[0-9]{4}(?<gap>${GAP})[0-9]{4}\\k<gap>[0-9]{4}\\k<gap>[0-9]{4}(?:\\k<gap>[0-9]{1,3})?`, isCard],
  ["card", `3[0-9]{3}${GAP}[0-9]{6}${GAP}[0-9]{4,5}`, isCard],
  ["card", "[0-9]{14,19}", isCard],
  ["snils", `[0-9]{3}${DASH}[0-9]{3}${DASH}[0-9]{3}(?:${GAP}|${DASH})[0-9]{2}`, isSnils],
  ["snils", "[0-9]{11}", isSnils],
  ["inn", "[0-9]{12}", isInn],
  ["inn", "[0-9]{10}", isInn],
  ["passport", "[0-9]{2} ?(?:9[7-9]|[0-3][0-9])(?: ?(?:№|N|No\\.?) ?| )[0-9]{6}", any],
  ["passport", "(?:паспорт|Паспорт|passport|Passport)[^0-9\\n]{0,20}(?<it>[0-9]{10})", any],
  ["phone", `(?:\\+7|[78])${LOOSE}{0,2}[3489][0-9]{2}${LOOSE}{0,2}[0-9]{3}${LOOSE}?[0-9]{2}${LOOSE}?[0-9]{2}`, any],
  ["phone", `\\+[1-9](?:${LOOSE}{0,2}[0-9]){8,14}`, any],
  ["phone", `\\([0-9]{3,5}\\) ?[0-9]{1,3}${LOOSE}?[0-9]{2}${LOOSE}?[0-9]{2}`, any],
  ["phone", `9[0-9]{2}${GAP}[0-9]{3}${GAP}?[0-9]{2}${GAP}?[0-9]{2}`, any],
].map(([sort, shape, check], order) => {
  const whole = shape.includes("(?<it>") ? shape : `${BEFORE}(?<it>${shape})${AFTER}`;
  return { sort, order, check, shape: new RegExp(whole, "dgu") };
});

function* ofShape(text, { sort, order, check, shape }) {
  shape.lastIndex = 0;
  for (let match = shape.exec(text); match; match = shape.exec(text)) {
    const [start, end] = match.indices.groups.it;
    if (check(match.groups.it.replace(/[^0-9]+/g, ""))) {
      yield { start, end, sort, order };
      shape.lastIndex = end;
    } else {
      shape.lastIndex = start + 1;
    }
  }
}

// Stretches [start, end) of the text with their sort, from left to right, without overlaps.
export function find(text) {
  const found = SHAPES.flatMap((shape) => [...ofShape(text, shape)]);
  found.sort((one, other) => one.start - other.start || one.order - other.order);
  const kept = [];
  for (const finding of found) {
    if (!kept.length || finding.start >= kept.at(-1).end) kept.push(finding);
  }
  return kept;
}

// The text with `words[sort]` in the place of each finding.
export function mask(text, words) {
  for (let found = find(text); found.length; found = find(text)) {
    for (const { start, end, sort } of found.reverse()) text = text.slice(0, start) + words[sort] + text.slice(end);
  }
  return text;
}
