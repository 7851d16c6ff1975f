import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { Command } from 'commander';
import type { Cli } from '../../lib/app/command.ts';
import { COMMAND_LIST, registersFor } from '../../lib/app/command-list.ts';

const CLI = { io: {}, ends: () => async () => undefined } as unknown as Cli;

describe('list of commands', () => {
  it('says of every command what the command says of itself', async () => {
    for (const { name, usage, description, load } of COMMAND_LIST) {
      const program = new Command();
      (await load())(program, CLI);
      const [command] = program.commands;
      expect(program.commands, name).to.have.length(1);
      expect({
        name: command?.name(),
        usage: command?.usage(),
        description: command?.description(),
      }).to.deep.equal({ name, usage, description });
    }
  });

  it('holds every file of commands', () => {
    const files = readdirSync(new URL('../../lib/app/commands/', import.meta.url))
      .filter((file) => file.endsWith('.js') && !['operator.js', 'check-findings.js'].includes(file))
      .map((file) => file.slice(0, -'.js'.length));
    expect(COMMAND_LIST.map(({ name }) => name)).to.have.members(files);
  });

  it('loads the command that is named and no other', async () => {
    for (const args of [['status'], ['help', 'status'], ['--', 'status', '--json']])
      expect(await registersFor(args)).to.have.length(1);
    for (const args of [[], ['--help'], ['help'], ['stats']])
      expect(await registersFor(args)).to.have.length(COMMAND_LIST.length);
  });
});
