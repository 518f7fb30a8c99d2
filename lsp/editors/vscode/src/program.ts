// Finding a program as a shell does, so that a missing one is told of in words.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The full path of `name`, which is a path itself or is looked for on PATH; undefined where there is none. */
export function find(name: string, path = process.env.PATH ?? "", platform = process.platform): string | undefined {
  const endings = platform === "win32" ? ["", ".exe", ".cmd", ".bat"] : [""];
  const folders = isAbsolute(name) ? [""] : /[\\/]/.test(name) ? [] : path.split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    for (const ending of endings) {
      const full = folder ? join(folder, name + ending) : name + ending;
      if (isProgram(full)) return full;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
