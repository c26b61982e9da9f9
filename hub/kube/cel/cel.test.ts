import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../../../schemas/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { Budget, MOST_OF_RULE } from './budget.ts'
import { compile } from './compile.ts'
import { declaredType } from './declared.ts'
import { DYN } from './types.ts'
import { typedValue } from './values.ts'

const schema: StructuralSchema = {
  type: 'object',
  properties: {
    replicas: { type: 'integer' },
    ratio: { type: 'number' },
    name: { type: 'string' },
    when: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    raw: { type: 'string', format: 'byte' },
    port: { 'x-kubernetes-int-or-string': true },
    tags: { type: 'array', items: { type: 'string' } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer' } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    inner: { type: 'object', properties: { a: { type: 'integer' } } },
    'a-b': { type: 'string' },
    if: { type: 'string' },
    x__y: { type: 'string' },
    'a.b': { type: 'string' },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}
const value: Json = {
  replicas: 3,
  ratio: 2,
  name: 'Blink-1',
  when: '2026-03-05T10:11:12.5Z',
  wait: '1h30m',
  raw: 'YWI=',
  port: 'http',
  tags: ['b', 'a'],
  set: ['x', 'y'],
  parts: [
    { k: 'one', v: 1 },
    { k: 'two', v: 2 },
  ],
  labels: { site: 'north' },
  'a-b': 'dash',
  if: 'word',
  x__y: 'under',
  'a.b': 'dot',
  open: { any: 1 },
}
const self = declaredType(schema, 'self', false) ?? DYN

function run(text: string, most = MOST_OF_RULE): unknown {
  const program = compile(text, new Map([['self', self]]))
  if ('errors' in program) throw new Error(program.errors)
  return program.run(new Map([['self', typedValue(value, self)]]), new Budget(most))
}

describe('an expression that holds', () => {
  const holding = [
    'self.replicas == 3 && self.replicas > 2.5 && self.ratio == 2.0',
    'self.a__dash__b == "dash" && self.__if__ == "word" && self.if == "word"',
    'self.x__underscores__y == "under" && self.a__dot__b == "dot"',
    'has(self.name) && !has(self.inner)',
    'self.when.getFullYear() == 2026 && self.when.getMonth() == 2 && self.when.getDayOfMonth() == 4',
    'self.when.getHours("Europe/Berlin") == 11 && self.when.getHours("-02:00") == 8',
    'self.when.getMilliseconds() == 500 && self.when.getDayOfYear() == 63 && self.when.getDayOfWeek() == 4',
    'self.when - timestamp("2026-03-05T10:11:12Z") == duration("500ms")',
    'self.wait == duration("90m") && self.wait.getMinutes() == 90 && string(self.wait) == "5400s"',
    'self.raw == b"ab" && size(self.raw) == 2',
    'self.port == "http" && type(self.port) == string && !(self.port == 80)',
    'self.tags.all(t, t.size() == 1) && self.tags.exists(t, t == "a") && self.tags.exists_one(t, t == "b")',
    'self.tags.map(t, t + t) == ["bb", "aa"] && self.tags.filter(t, t > "a") == ["b"]',
    'self.tags.map(t, t != "a", t) == ["b"]',
    'self.tags.all(i, t, i < 2 && t != "") && self.labels.exists(k, v, k == "site" && v == "north")',
    'self.labels.transformList(k, v, k + v) == ["sitenorth"] && self.labels.transformMap(k, v, v.size())["site"] == 5',
    'self.tags.transformMapEntry(i, t, {t: i}) == {"a": 1, "b": 0}',
    '"site" in self.labels && !("x" in self.labels) && self.labels.site == "north"',
    'self.set == ["y", "x"] && self.tags != ["a", "b"]',
    'self.set + ["x", "z"] == ["x", "y", "z"]',
    'self.parts.exists(p, p.k == "two" && p.v == 2) && self.parts[0].v == 1',
    '!self.tags.isSorted() && ["a", "b"].isSorted() && self.tags.min() == "a" && self.tags.max() == "b"',
    '[1, 2, 3].sum() == 6 && [1.5, 2.0].sum() == 3.5 && [duration("1s"), duration("2s")].sum() == duration("3s")',
    '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [].size() == 0 && [1].indexOf(5) == -1',
    '[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [1, 2, 3].slice(1, 3) == [2, 3]',
    '[[1], [2, 3]].flatten() == [1, 2, 3] && lists.range(3) == [0, 1, 2] && [1, 2].reverse() == [2, 1]',
    'self.name.lowerAscii() == "blink-1" && self.name.upperAscii() == "BLINK-1"',
    'self.name.split("-") == ["Blink", "1"] && ["a", "b"].join("/") == "a/b" && "a,b,c".split(",", 2) == ["a", "b,c"]',
    'self.name.replace("i", "o") == "Blonk-1" && "aaa".replace("a", "b", 2) == "bba" && "ab".replace("", "-") == "-a-b-"',
    'self.name.substring(1, 3) == "li" && self.name.substring(6) == "1" && self.name.charAt(0) == "B"',
    '" a\t".trim() == "a" && "über".size() == 4 && "a€b".indexOf("b") == 2 && "abab".lastIndexOf("ab") == 2',
    '"%s is %d, %.2f, %x, %b, %o%%".format(["x", 3, 1.5, 255, 5, 8]) == "x is 3, 1.50, ff, 101, 10%"',
    '"%s".format([[dyn("a"), dyn(1), dyn(true), dyn(null)]]) == "[a, 1, true, null]" && "%e".format([1234.5]) == "1.234500e+03"',
    'self.name.matches("^[A-Z][a-z]+-[0-9]$") && !"x".matches("y") && "a1b22".find("[0-9]+") == "1"',
    '"a1b22".findAll("[0-9]+") == ["1", "22"] && "a1b22".findAll("[0-9]+", 1) == ["1"]',
    'isURL("https://a.example:80/p/q?x=1&x=2") && !isURL("../a") && isURL("/path")',
    'url("https://a.example:443/p?x=1&x=2").getHost() == "a.example:443"',
    'url("https://[::1]:80/p").getHostname() == "::1" && url("https://a:80").getPort() == "80"',
    'url("https://a/p%20q?x=1&x=2").getQuery() == {"x": ["1", "2"]} && url("https://a/p%20q").getEscapedPath() == "/p%20q"',
    'isQuantity("1.5Gi") && !isQuantity("1x") && quantity("1Gi").isGreaterThan(quantity("1G"))',
    'quantity("500m").add(quantity("1.5")).asInteger() == 2 && quantity("1k").sub(1) == quantity("999")',
    'quantity("-1").sign() == -1 && !quantity("500m").isInteger() && quantity("500m").asApproximateFloat() == 0.5',
    'isIP("::1") && !isIP("::ffff:1.2.3.4") && ip("10.0.0.1").family() == 4 && ip("::1").isLoopback()',
    'ip("224.0.0.5").isLinkLocalMulticast() && ip("169.254.1.1").isLinkLocalUnicast() && ip("8.8.8.8").isGlobalUnicast()',
    'ip("2001:DB8:0::1") == ip("2001:db8::1") && !ip.isCanonical("2001:DB8::1") && string(ip("2001:db8:0::1")) == "2001:db8::1"',
    'cidr("10.0.0.0/8").containsIP("10.1.1.1") && !cidr("10.0.0.0/8").containsIP(ip("11.0.0.1"))',
    'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")',
    'cidr("2001:db8::/32").prefixLength() == 32 && !isCIDR("10.0.0.0/33") && isCIDR("::/0")',
    'semver("1.2.3").isLessThan(semver("1.10.0")) && semver("1.0.0-rc.1").isLessThan(semver("1.0.0"))',
    'isSemver("1.2.3+build") && !isSemver("v1.2") && isSemver("v1.2", true) && semver("v01.2", true).minor() == 2',
    'sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1]) && !sets.intersects([1], [2])',
    '!format.dns1123Label().validate("a-b").hasValue() && format.dns1123Label().validate("A").hasValue()',
    'format.named("uuid").hasValue() && !format.named("nosuch").hasValue()',
    'self.?inner.?a.orValue(7) == 7 && self.?name.value() == "Blink-1" && !self.labels[?"x"].hasValue()',
    'self.tags[?0] == optional.of("b") && !self.tags[?9].hasValue() && optional.none().or(optional.of(1)).value() == 1',
    'optional.of(1).optMap(x, x + 1).value() == 2 && optional.of(1).optFlatMap(x, optional.none()) == optional.none()',
    'optional.ofNonZeroValue("") == optional.none()',
    'int("12") == 12 && int(2.9) == 2 && uint(1) == 1u && double("1.5") == 1.5 && string(1.5) == "1.5" && bool("t")',
    'string(b"ab") == "ab" && bytes("ab") == b"ab" && string(timestamp(0)) == "1970-01-01T00:00:00Z"',
    'type(1) == int && type([]) == list && type({}) == map && type(null) == null_type',
    '7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -7 % 3 == -1 && 2u * 3u == 6u && 1.0 / 4.0 == 0.25',
    'dyn(1) == 1.0 && dyn(1) == 1u && {1: "a"}[1] == "a" && 1 in {1: 2}',
    'self.replicas > 0 ? true : 1 / 0 == 1',
    '[0, 1].exists(x, 1 / x == 1) && (1 / 0 == 1 || true) && !(1 / 0 == 1 && false)',
    '{"a": [1], "b": [2]} == {"b": [2], "a": [1]} && self.labels == {"site": "north"}',
    '-9223372036854775808 < 0 && 0x10 == 16 && 1e3 == 1000.0 && r"\\d" == "\\\\d" && """a""" == "a"',
  ]
  for (const text of holding) test(text, () => assert.equal(run(text), true))
})

describe('an expression that cannot be answered says why', () => {
  const failing: readonly (readonly [string, RegExp])[] = [
    ['self.inner.a == 1', /^no such key: inner$/],
    ['self.labels["x"] == ""', /^no such key: x$/],
    ['self.tags[2] == ""', /^index out of bounds: 2$/],
    ['1 / 0 == 1', /^division by zero$/],
    ['1 % 0 == 1', /^modulus by zero$/],
    ['9223372036854775807 + 1 > 0', /^integer overflow$/],
    ['1u - 2u == 0u', /^unsigned integer overflow$/],
    ['self.port > 1', /^no such overload/],
    ['self.name.substring(9) == ""', /^index out of range: 9$/],
    ['[].max() > 1', /^max called on empty list$/],
    ['quantity("x") == quantity("1")', /^quantities must match/],
    ['ip("x").family() == 4', /parse error/],
    ['int("x") == 1', /^type conversion error from 'string' to 'int'$/],
    ['optional.none().value()', /^optional.none\(\) dereference$/],
    ['"%d".format(["a"]) == ""', /can only be used on integers/],
    ['"%s".format([]) == ""', /^index 0 out of range$/],
    ['{"a": 1, "a": 2}.size() == 1', /already exists/],
    ['timestamp(253402300800) > self.when', /overflow/],
    ['self.when.getHours("Nowhere") == 1', /^unknown time zone Nowhere$/],
  ]
  for (const [text, why] of failing) test(text, () => assert.throws(() => run(text), { message: why }))
})

test('an expression that takes too many steps is stopped, also where an error would not count', () => {
  const many = 'lists.range(2000).all(x, lists.range(2000).all(y, x + y >= 0)) || true'
  assert.throws(() => run(many), { message: 'operation cancelled: actual cost limit exceeded' })
  assert.throws(() => run('lists.range(100000).map(x, "aaaaaaaaaa").join().size() > 0', 1000), /cost limit/)
})

test('a regular expression takes time that grows with the text alone', () => {
  assert.equal(run(`"${'a'.repeat(5000)}b".matches("^(a+)+$")`), false)
})

describe('what the compiler refuses', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['self.foo > 3', "1:5: undefined field 'foo'\n | self.foo > 3\n | ....^"],
    ['self.replicas > "a"', "1:15: found no matching overload for '_>_' applied to '(int, string)'"],
    ['self.name.foo()', "1:14: undeclared reference to 'foo' (in container '')"],
    ['self.tags.all(x, y)', "1:18: undeclared reference to 'y' (in container '')"],
    ['self.name.all(x, true)', "1:5: expression of type 'string' cannot be range of a comprehension"],
    ['1 == "a"', "1:3: found no matching overload for '_==_' applied to '(int, string)'"],
    ['[1, "a"].size() == 2', "1:5: expected type 'int' but found 'string'"],
    ['has(self)', '1:5: invalid argument to has() macro'],
    ['has(self.foo)', "1:4: undefined field 'foo'"],
    ['self.open.any == 1', "1:10: undefined field 'any'"],
    ['self.name == null', "1:11: found no matching overload for '_==_' applied to '(string, null)'"],
    ['self.name.lowerAscii().foo', "1:23: type 'string' does not support field selection"],
    ['self.tags.all(x, 1)', "1:18: expected type 'bool' but found 'int'"],
    ['true ? 1 : "a"', "1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"],
    ['self.name.matches("(")', '1:19: invalid matches argument'],
    ['self.?name == "a"', "1:12: found no matching overload for '_==_' applied to '(optional_type(string), string)'"],
    ['self.name ==\n  self.nosuch', "2:7: undefined field 'nosuch'\n |   self.nosuch\n | ......^"],
    ['self.', '1:6: Syntax error: '],
    [`${'!'.repeat(10_000)}true`, '1:1: Syntax error: expression recursion limit exceeded'],
    [`${'- '.repeat(10_000)}1 == 1`, '1:1: Syntax error: expression recursion limit exceeded'],
    ['[?optional.of(1)].size() == 1', '1:2: Syntax error: '],
    ['cel.bind(x, 1, x == 1)', "1:1: undeclared reference to 'cel' (in container '')"],
  ]
  for (const [text, error] of refused) {
    test(JSON.stringify(text), () => {
      const program = compile(text, new Map([['self', self]]))
      assert.ok('errors' in program)
      assert.ok(program.errors.startsWith(`ERROR: <input>:${error}`), program.errors)
    })
  }
})

test('what an expression makes grow is paid for before it is large', () => {
  const grown = (start: string, step: string) => `optional.of(${start})${`.optMap(x, ${step})`.repeat(60)}.hasValue()`
  const inputs = [
    grown("'\"'", 'strings.quote(x)'),
    grown("b'ab'", 'x + x'),
    grown("'ab'", "'%s%s'.format([x, x])"),
    `'${'x'.repeat(5000)}'.matches('(a|b|c|d|e|f){900}' + '$')`,
  ]
  for (const input of inputs) assert.throws(() => run(input, 100_000), /cost limit exceeded/, input.slice(0, 60))
})

test('blanks inside of a text cost trim nothing', { timeout: 60_000 }, () => {
  const text = `a${' '.repeat(25_000)}b`
  assert.equal(run(`'\u2003 ${text}\\t '.trim() == '${text}'`), true)
  assert.equal(run("' '.trim() == '' && ''.trim() == ''"), true)
})

test('more digits than a number has are shown as far as it has some', () => {
  assert.equal(run("'%.200f'.format([0.5])"), `0.5${'0'.repeat(99)}`)
})
