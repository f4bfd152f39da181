import { describe, expect, it } from 'vitest';
import { Problem } from '../../api/problem';
import { Faults } from './faults';

const say = (problem: Problem) => (problem.status === 0 || problem.status === 503 ? 'Try again.' : problem.reasons);
const refused = (details: { message: string; in?: string }[], status = 400) => new Problem(status, 'Invalid input', 'VALIDATION_ERROR', '', {}, details);

describe('what is wrong with a form', () => {
  it('stands beside the field that it is about', () => {
    const faults = Faults.from(refused([{ message: 'It is too long.', in: 'name' }]), say);
    expect(faults.of('name')).toBe('It is too long.');
    expect(faults.of('email')).toBeUndefined();
    expect(faults.besides(['name', 'email'])).toBe('');
  });

  it('stands beside a field for everything within it', () => {
    const faults = Faults.from(refused([{ message: 'Not a time.', in: 'officeHours.days[0].from' }, { message: 'Not a zone.', in: 'officeHours.timeZone' }]), say);
    expect(faults.of('officeHours.days')).toBe('Not a time.');
    expect(faults.of('officeHours')).toBe('Not a time. Not a zone.');
    expect(faults.of('office')).toBeUndefined();
  });

  it('stands above the form if no field of it is meant', () => {
    expect(Faults.from(refused([{ message: 'No such channel.', in: 'channelId' }]), say).besides(['name'])).toBe('No such channel.');
    expect(Faults.from(refused([{ message: 'It is archived.' }]), say).besides(['name'])).toBe('It is archived.');
    expect(Faults.from(new Problem(409, 'It is in use.', 'CONFLICT'), say).besides(['name'])).toBe('It is in use.');
  });

  it('is said in our own words where the request is not to blame', () => {
    expect(Faults.from(refused([{ message: 'ignored', in: 'name' }], 503), say).of('name')).toBeUndefined();
    expect(Faults.from(new Problem(0, 'Failed to fetch'), say).besides([])).toBe('Try again.');
  });
});
