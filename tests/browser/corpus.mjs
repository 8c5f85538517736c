// What hostile output and hostile clipboards look like: cases made by class from a seed, so that each one can be
// made again by its number.

/** Stands in everything hostile. It must leave the terminal by no way. */
export const CANARY = 'vroomcanary';
/** Stands in titles, which tabs show; it must not come back as typed text. */
export const TITLE = 'tabheading';

const ESC = '\x1b';
const ST = `${ESC}\\`;
const BEL = '\x07';

/** A generator after SplitMix64, cut to what numbers of JavaScript hold. */
export class Random {
  constructor(seed) {
    this.state = BigInt(seed);
  }

  /** An integer from 0 up to and without `bound`. */
  below(bound) {
    const mask = (1n << 64n) - 1n;
    this.state = (this.state + 0x9e3779b97f4a7c15n) & mask;
    let mixed = this.state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
    return Number(((mixed ^ (mixed >> 31n)) >> 11n) % BigInt(bound));
  }

  pick(choices) {
    return choices[this.below(choices.length)];
  }

  bytes(count) {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/** Operating system commands have numbers up to this one. */
const OSC_MAX = 1337;

/**
 * The cases of the escape corpus: `{ kind, bytes, pieces }`, the same for the same seed. Each operating system command is there
 * by its number; the rest goes round the kinds. Every fifth case comes in two pieces, cut anywhere.
 */
export function escapes(count, seed) {
  const random = new Random(seed);
  const kinds = Object.entries(KINDS);
  return Array.from({ length: count }, (_, number) => {
    const [kind, make] = number <= OSC_MAX ? ['osc', () => osc(random, number)] : kinds[(number - OSC_MAX - 1) % kinds.length];
    const made = make(random);
    const bytes = Buffer.isBuffer(made) ? made : Buffer.from(made, 'utf8');
    const cut = number % 5 === 0 ? random.below(bytes.length + 1) : 0;
    return { kind, bytes, pieces: [bytes.subarray(0, cut), bytes.subarray(cut)].filter((piece) => piece.length > 0) };
  });
}

/** Texts of hostile clipboards, the same for the same seed. */
export function pastes(count, seed) {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const parts = Array.from({ length: 1 + random.below(6) }, () => random.pick(PASTE_PARTS)(random));
    return parts.join('');
  });
}

const base64 = (text) => Buffer.from(text).toString('base64');
const hex = (text) => Buffer.from(text).toString('hex');

/** Ends a string as terminals know it: also in C1, wrongly, or not at all. */
const end = (random) => random.pick([ST, BEL, ST, BEL, '\u009c', '', `${ESC}${ESC}\\`, '\x18', '\x1a']);

const payload = (random) =>
  random.pick([
    () => CANARY,
    () => `<img src=x onerror=alert('${CANARY}')>`,
    () => `"><script>alert('${CANARY}')</script>`,
    () => `https://${CANARY}.invalid/a?b=c`,
    () => `javascript:alert('${CANARY}')`,
    () => `file:///etc/passwd#${CANARY}`,
    () => `;${CANARY};`.repeat(1 + random.below(40)),
    () => base64(`\r${CANARY}\r`),
    () => `?${CANARY}`,
    () => `\r\n${CANARY}\r\n`,
    () => '?',
    () => '',
    () => `${random.below(300)};${CANARY}`,
    () => `${random.below(300)};?`,
    () => CANARY.repeat(1 + random.below(500)),
    () => `\u202e${CANARY}\u202c`,
    () => `$(${CANARY})\`${CANARY}\``,
    () => `../../../../${CANARY}`,
  ])();

const number = (random) =>
  random.pick([
    () => `${random.below(20)}`,
    () => `${random.below(300)}`,
    () => `${random.below(100_000)}`,
    () => '2147483647',
    () => '2147483648',
    () => '4294967296',
    () => '99999999999999999999999',
    () => '-1',
    () => '',
    () => '0'.repeat(200),
  ])();

const parameters = (random) => {
  const count = random.pick([0, 1, 1, 2, 3, 16, 33, 400]);
  return Array.from({ length: count }, () => number(random)).join(random.pick([';', ';', ';', ':']));
};

const FINALS = '@ABCDEFGHIJKLMPSTXZ`abcdefghijklmnopqrstuvwxyz{|}~'.split('');
const INTRODUCERS = [`${ESC}]`, `${ESC}P`, `${ESC}_`, `${ESC}^`, `${ESC}X`, `${ESC}[`, `${ESC}k`, '\u009d', '\u0090', '\u009f', '\u009b'];

const image = (random) =>
  [
    `a=${random.pick(['t', 'T', 'q', 'p', 'd', 'f', 'a', 'c', 'z'])}`,
    `f=${random.pick(['24', '32', '100', '7'])}`,
    `t=${random.pick(['d', 'f', 't', 's', 'f'])}`,
    `s=${random.pick(['1', '2', '10', '100000', '4294967295'])}`,
    `v=${random.pick(['1', '2', '10', '100000', '4294967295'])}`,
    `i=${random.pick(['1', '31', '4294967295', '0', CANARY])}`,
    random.pick(['m=0', 'm=1', 'o=z', 'q=2', `r=${random.below(10_000)}`, `c=${random.below(10_000)}`, `U=1`, `x=${CANARY}`]),
  ].join(',');

const osc = (random, number) => `${ESC}]${number};${payload(random)}${end(random)}`;

const KINDS = {
  osc: (random) => osc(random, random.below(OSC_MAX + 100)),
  oscNamed: (random) => {
    const body = payload(random);
    const which = random.pick([
      `7;file://${CANARY}/${body}`, `9;${body}`, `9;4;${random.below(9)};${number(random)}`, `9;7;${body}`, `9;9;${body}`, `46;${body}`, `50;${body}`,
      `50;?`, `99;i=1;${body}`, `133;${random.pick(['A', 'B', 'C', 'D'])};${body}`, `633;${random.pick(['A', 'E', 'P'])};${body}`, `777;notify;${body};${body}`,
      `777;exec;${body}`, `1337;File=name=${base64(CANARY)};size=10;inline=${random.below(2)}:${base64(body)}`, `1337;ReportVariable=${base64(CANARY)}`,
      `1337;ReportCellSize`, `1337;Copy=:${base64(body)}`, `1337;CopyToClipboard=${body}`, `1337;OpenURL=:${base64(`https://${CANARY}.invalid`)}`,
      `1337;StealFocus`, `1337;CurrentDir=${body}`, `1337;RequestUpload=format=tgz`, `1337;SetUserVar=${CANARY}=${base64(body)}`, `5113;ac=send;id=${CANARY}`,
      `5522;type=read;${base64('.')}`, `8888;${body}`, `9001;${body}`, `L${body}`, `l${body}`, `I${body}`, body,
    ]);
    return `${ESC}]${which}${end(random)}`;
  },
  title: (random) => {
    const heading = random.pick([
      TITLE, `${TITLE}\x01\x02\x03${TITLE}`, TITLE.repeat(100), `<b>${TITLE}</b><img src=x onerror=alert(1)>`, `\u202e${TITLE}`, `${TITLE}\u0085\u009b31m`,
      `${TITLE}\r\n${TITLE}`, `${TITLE}${'\u0300'.repeat(2000)}`, '\u{1f980}'.repeat(400), '', `\n;${TITLE};`, 'x'.repeat(70_000),
    ]);
    return random.pick([`${ESC}]${random.pick(['0', '1', '2'])};${heading}${end(random)}`, `${ESC}k${heading}${end(random)}`, `${ESC}[22;${random.below(3)}t${ESC}]2;${heading}${BEL}${ESC}[23t`]);
  },
  // A title that is reported is typed: the oldest attack of all.
  titleReport: (random) => `${ESC}]${random.pick(['0', '1', '2'])};\r${TITLE}\r${BEL}${ESC}[${random.pick(['20', '21', '20;1', '21;1', '22;0', '23;0'])}t`,
  windowReport: (random) => `${ESC}[${random.below(30)}${random.pick(['', `;${number(random)}`, `;${number(random)};${number(random)}`])}t`,
  deviceReport: (random) =>
    `${ESC}[${random.pick(['', '?', '>', '='])}${random.pick(['c', '0c', '1c', '5n', '6n', '15n', '25n', '26n', '53n', '55n', '56n', '62n', '63;1n', '75n', '85n', '996n', 'x', '1x', 'q', '0q', 'u', '4m', '1;1*y', '1;1;1;1;24;80*y', '&v', `${number(random)}$p`, `${number(random)}c`])}`,
  statusString: (random) => `${ESC}P$q${random.pick(['m', 'r', 's', '"p', '"q', ' q', 't', '|', '*x', CANARY, `\r${CANARY}\r`, payload(random), ''])}${end(random)}`,
  termcap: (random) => `${ESC}P+q${random.pick([hex('TN'), hex('Co'), hex(CANARY), CANARY, `${hex('TN')};${hex(CANARY)}`, hex(`\r${CANARY}\r`)])}${end(random)}`,
  dcs: (random) => `${ESC}P${parameters(random)}${random.pick(['q', '{', '|', '+p', '+Q', '$t', '!z', '=s', 'p', 'v', '1000p', '>|', '!|', CANARY])}${payload(random)}${end(random)}`,
  sixel: (random) =>
    `${ESC}P${random.pick(['', '0;1;0', '9;9;9', parameters(random)])}q${random.pick([`"1;1;${number(random)};${number(random)}`, ''])}#${number(random)};2;${number(random)};0;0${random.pick(['~', '!5~', '!999999999~', `!${number(random)}~-`, '$-'.repeat(3000), CANARY])}${end(random)}`,
  kittyImage: (random) => `${ESC}_G${image(random)};${random.pick([base64(`/etc/passwd`), base64(CANARY), 'AAAA', CANARY, '', '!!!!', 'A'.repeat(random.below(6000)), base64(`../../${CANARY}`)])}${end(random)}`,
  kittyChunks: (random) => `${ESC}_Ga=T,f=24,s=4,v=4,i=${1 + random.below(9)},m=1;AAAA${ST}`.repeat(1 + random.below(20)) + (random.below(2) ? `${ESC}_Gm=0;AAAA${ST}` : ''),
  otherStrings: (random) => `${ESC}${random.pick(['_', '^', 'X'])}${payload(random)}${end(random)}`,
  // Strings in strings, and strings that something interrupts.
  nested: (random) => {
    const outer = random.pick(INTRODUCERS);
    const inner = random.pick(INTRODUCERS);
    return `${outer}${payload(random)}${inner}${payload(random)}${end(random)}${payload(random)}${end(random)}`;
  },
  splitString: (random) => `${ESC}_G${image(random)};AAA${random.pick([ESC, '\x18', '\x1a', `${ESC}[`, '\x00', '\x7f', `${ESC}c`, '\u009c'])}A${end(random)}`,
  c1: (random) => random.pick([Buffer.from([0x80 + random.below(32), ...Buffer.from(payload(random))]), Buffer.from(`${String.fromCharCode(0x80 + random.below(32))}${payload(random)}${end(random)}`)]),
  csi: (random) => `${ESC}[${random.pick(['', '?', '>', '=', '<', '!'])}${parameters(random)}${random.pick(['', '', ' ', '$', '"', "'", '*', '#', '!', '  '])}${random.pick(FINALS)}`,
  huge: (random) => `${ESC}[${random.pick(['999999999', '2147483647', '65536', '4294967295;4294967295'])}${random.pick('@ABCDEFGHLMPSTXZabdefgr'.split(''))}${CANARY}`,
  mode: (random) => `${ESC}[${random.pick(['', '?'])}${random.pick([1, 2, 3, 4, 5, 6, 7, 9, 12, 20, 25, 45, 47, 66, 67, 69, 80, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1034, 1035, 1047, 1048, 1049, 2004, 2026, 2027, 2031, 2048, 5522, 9001])}${random.pick(['h', 'l', 's', 'r'])}${CANARY}`,
  keyboard: (random) => `${ESC}[${random.pick(['>', '<', '=', '?'])}${number(random)}${random.pick(['', ';1', ';2', ';3'])}u`.repeat(1 + random.below(40)),
  print: (random) => `${ESC}[${random.pick(['', '?'])}${random.pick(['0', '1', '4', '5', '10', '11'])}i${CANARY}\r\n${ESC}[4i`,
  link: (random) =>
    `${ESC}]8;${random.pick(['', `id=${CANARY}`, `id=${'x'.repeat(3000)}`, ':::=', 'a=b:c=d'])};${random.pick([`javascript:alert('${CANARY}')`, `file:///etc/passwd`, `data:text/html,<script>alert('${CANARY}')</script>`, `vbscript:${CANARY}`, `https://${CANARY}.invalid/`, `http://user:pass@${CANARY}.invalid/`, `JaVaScRiPt:alert(1)`, ` javascript:alert(1)`, `java\tscript:alert(1)`, `ssh://-oProxyCommand=${CANARY}`, `http://[::1`, `https://${'a'.repeat(20_000)}.invalid`, `intent:${CANARY}`])}${random.pick([ST, BEL])}click${ESC}]8;;${random.pick([ST, BEL, ''])}`,
  clipboardRead: (random) => `${ESC}]52;${random.pick(['c', 'p', 'q', 's', '0', '7', 'cps', '', CANARY, 'c'.repeat(500)])};${random.pick(['?', '?', '?\x00', ' ?', '??', '!', '*', CANARY])}${end(random)}`,
  colour: (random) => `${ESC}]${random.pick(['4;1', '4;255', '4;256', '5;0', '10', '11', '12', '13', '17', '19', '21', '104', '110', '4;0;?;1;?;2', '6'])};${random.pick(['?', CANARY, `rgb:${CANARY}`, 'rgb:ff/00/00', '#123456', `#${'f'.repeat(400)}`, `${CANARY};?`, 'url(https://x.invalid/a)'])}${end(random)}`,
  charset: (random) => `${ESC}${random.pick(['(', ')', '*', '+', '-', '.', '/', '%', ' ', '#', '&'])}${random.pick('0123456789ABCGHKQRZ@<>%F'.split(''))}\x0e${CANARY}\x0f`,
  single: (random) => `${ESC}${String.fromCharCode(0x20 + random.below(0x5f))}${random.pick(['', CANARY])}`,
  unfinished: (random) => `${random.pick(INTRODUCERS)}${payload(random)}`,
  longString: (random) => `${random.pick([`${ESC}]2;`, `${ESC}]${random.below(200)};`, `${ESC}P`, `${ESC}_G`, `${ESC}_`, `${ESC}^`, `${ESC}]52;c;*`])}${'A'.repeat(4096 << random.below(6))}${end(random)}`,
  randomBytes: (random) => random.bytes(1 + random.below(400)),
  // Random, but of the letters that matter.
  escapeSoup: (random) =>
    Array.from({ length: 1 + random.below(60) }, () => random.pick([ESC, ESC, '[', ']', 'P', '_', '?', ';', ':', '0', '1', '5', '2', '$', 'q', 'h', 'l', 'm', 'c', 'n', 'u', 't', '\\', '\x07', '\x18', '\x9c', 'G', 'A', 'x', '\x0e', '\x00', '\u009b'])).join(''),
  brokenText: (random) => Buffer.concat([random.pick([Buffer.from([0xc0, 0xaf]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0xf8, 0x88, 0x80, 0x80, 0x80]), Buffer.from([0xff, 0xfe]), Buffer.from([0xe2, 0x82]), Buffer.from([0xf0, 0x9f, 0xa6])]), Buffer.from(random.pick([CANARY, '\u0300'.repeat(500), '\u200d'.repeat(500), '\ufeff', '\u{10ffff}', '\u{e0001}']))]),
};

const PASTE_PARTS = [
  () => `${ESC}[201~${CANARY}\r`,
  () => `${ESC}[20${ESC}[201~1~${CANARY}\n`,
  () => `${ESC}[2${ESC}[2${ESC}[201~01~01~`,
  () => `\u009b201~${CANARY}`,
  () => `${ESC}${ESC}[201~`,
  () => `${ESC}[200~${CANARY}`,
  () => `\x00${CANARY}\x00`,
  () => '\x03\x04\x1a\x1c',
  () => '\x7f\x08\x15\x17',
  () => `${ESC}]52;c;${base64(CANARY)}${BEL}`,
  () => `${ESC}Pq${ST}\u0090q\u009c`,
  (random) => String.fromCharCode(random.below(32)),
  (random) => String.fromCharCode(0x80 + random.below(32)),
  () => 'plain words',
  () => 'two\nlines\r\nand\rthree',
  () => '\ttab\t',
  () => 'Grüße, 世界! \u{1f980}',
  () => '\u2028\u2029\u202e\u2066\ufeff',
  (random) => 'long '.repeat(random.below(2000)),
  (random) => random.pick([`${ESC}[201`, ESC, `${ESC}[`, '201~', '~', '\u009b']),
];
