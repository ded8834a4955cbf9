import { generatePassword, isPasswordLongEnough, toConsoleUserName } from './console-user.ts';

test.each([
  ['ada', 'ada'],
  [' Ada.L@Example.org ', 'ada.l@example.org'],
  ['7', '7'],
  ['a'.repeat(64), 'a'.repeat(64)],
  ['a'.repeat(65), undefined],
  ['', undefined],
  ['.ada', undefined],
  ['ada lovelace', undefined],
  ['ada\n', 'ada'],
  ['ada\nx', undefined],
  ['ädä', undefined],
])('the name %j is %j', (text, name) => {
  expect(toConsoleUserName(text)).toBe(name);
});

test.each([
  ['x'.repeat(11), false],
  ['x'.repeat(12), true],
  ['😀'.repeat(11), false],
  ['😀'.repeat(12), true],
  ['x'.repeat(256), true],
  ['x'.repeat(257), false],
])('whether %j is long enough is %s', (password, expected) => {
  expect(isPasswordLongEnough(password)).toBe(expected);
});

test('a generated password is long enough, and another one each time', () => {
  const [one, other] = [generatePassword(), generatePassword()];

  expect(isPasswordLongEnough(one)).toBe(true);
  expect(one).not.toBe(other);
});
