"""Plays a piece: sections, layers, a tempo that may vary, a room, a master."""

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from bench.truth.grooves import BEATS_A_BAR
from bench.truth.harmony import PROGRESSIONS, Chord, Melody, chord
from bench.truth.pieces import Piece
from bench.truth.voices import RATE_HZ, Voice, drum
from shared.contracts.analysis import PITCH_CLASSES

Samples = NDArray[np.float64]
_BARS_A_SECTION = 8
_CHANGE_AT = 2 / 3
_C4_HZ = 440.0 * 2 ** (-9 / 12)
# The players of each section: drums, bass, comping, lead.
_FORM = ("bc", "dbc", "dbcl", "dbcl", "bcl", "dbcl", "dbc")
_PERCUSSION_FORM = ("d",)
_DRUM_GAINS = {"kick": 1.0, "snare": 0.8, "hat": 0.3, "open": 0.3, "ride": 0.25, "shaker": 0.25,
               "crash": 0.4}  # fmt: skip
_RHYTHMS = {
    4: ((0, 1, 2, 3), (0, 1.5, 2, 3.5), (0, 0.5, 1, 2, 3), (0, 2), (0.5, 1.5, 2.5, 3), (0, 3)),
    3: ((0, 1, 2), (0, 2), (0, 1.5, 2), (0,)),
    2: ((0, 1), (0, 2 / 3, 1, 5 / 3), (0, 1 / 3, 2 / 3, 1), (0,)),
}


def play(piece: Piece, length_s: float) -> Samples:
    """The piece, shape (n, 2), -1..1, at 44,100 Hz, `length_s` long."""
    return _Band(piece, length_s).play()


@dataclass
class _Section:
    """Eight bars with the same players and patterns."""

    players: str
    drums: dict[str, str]
    bass: str
    comping: str
    chords: list[Chord]


class _Band:
    """Plays one piece."""

    def __init__(self, piece: Piece, length_s: float) -> None:
        self._piece = piece
        self._style = piece.style
        self._random = np.random.default_rng([piece.seed, piece.number])
        self._bar = BEATS_A_BAR[self._style.meter]
        self._length_s = length_s
        beats = round(length_s / 60 * max(piece.tempo_bpm, piece.second_bpm or 0)) + 8 * self._bar
        self._clock = np.concatenate([[0.0], np.cumsum(self._beat_lengths_s(beats))])
        self._mix = np.zeros((round(length_s * RATE_HZ), 2))
        self._wet = np.zeros_like(self._mix)
        self._swing = float(self._random.uniform(0.6, 0.69))
        self._gains = {name: 10 ** (self._random.uniform(-4, 3) / 20) for name in "dbcl"}
        self._pans = {name: float(self._random.uniform(-0.5, 0.5)) for name in "cl"}

    def _beat_lengths_s(self, beats: int) -> Samples:
        """The length of each beat: steady, with rubato, or with a change of tempo at two thirds."""
        steady = np.full(beats, 60 / self._piece.tempo_bpm)
        if self._piece.second_bpm:
            first = round(self._length_s * _CHANGE_AT / steady[0] / self._bar) * self._bar
            steady[first:] = 60 / self._piece.second_bpm
        if self._piece.group == "rubato":
            # Phrases of four bars speed up and slow down; each beat also varies a little.
            phase = 2 * np.pi * np.arange(beats) / (4 * self._bar)
            bent = 0.06 * np.sin(phase) + 0.012 * self._random.standard_normal(beats)
            bent[4 * self._bar - 1 :: 4 * self._bar] += 0.12  # ritardando at the end of a phrase
            steady *= 1 + bent - np.median(bent)
        return steady

    def _at_s(self, beat: float) -> float:
        return float(np.interp(beat, np.arange(len(self._clock)), self._clock))

    def play(self) -> Samples:
        bars = int(np.searchsorted(self._clock, self._length_s)) // self._bar
        section = self._section(0)
        melody = Melody(self._piece.mode, self._random)
        for bar in range(bars):
            if bar % _BARS_A_SECTION == 0:
                section = self._section(bar // _BARS_A_SECTION)
            sounding = section.chords[bar % len(section.chords)]
            following = section.chords[(bar + 1) % len(section.chords)]
            if "d" in section.players:
                self._play_drums(section, bar)
            if "b" in section.players and section.bass:
                self._play_bass(section.bass, bar, sounding, following)
            if "c" in section.players and section.comping:
                self._play_comping(section.comping, bar, sounding)
            if "l" in section.players:
                self._play_lead(bar, sounding, melody)
        return self._master()

    def _section(self, number: int) -> _Section:
        style, random = self._style, self._random
        form = _PERCUSSION_FORM if self._piece.key is None else _FORM
        progressions = PROGRESSIONS[self._piece.mode]
        # Even sections are verses, odd ones choruses: each has a progression of its own.
        picked = np.random.default_rng([self._piece.seed, self._piece.number, number % 2])
        degrees = progressions[int(picked.integers(len(progressions)))]
        return _Section(
            players=form[number % len(form)],
            drums=style.drums[number // 2 % len(style.drums)],
            bass=style.bass[number // 2 % len(style.bass)] if style.bass else "",
            comping=style.comping[number // 2 % len(style.comping)] if style.comping else "",
            chords=[
                chord(self._piece.mode, degree, kind=style.chords, random=random)
                for degree in degrees
            ],
        )

    @cached_property
    def _tonic_hz(self) -> float:
        key = self._piece.key or "C"
        return float(
            _C4_HZ * 2 ** ((PITCH_CLASSES.index(key) + self._piece.detuned_cents / 100) / 12)
        )

    def _hz(self, semitones: int, octave: int) -> float:
        """The frequency of a note `semitones` above the tonic that is near the C of `octave`."""
        return round(self._tonic_hz * 2 ** (semitones / 12 + octave - 4), 4)

    def _time_s(self, bar: int, beat: float) -> float:
        """The time of a beat of a bar, with swing and a player's inaccuracy."""
        if self._style.meter == "swing" and (part := beat % 1):
            third = 1 / 3 if part < 0.5 else 2 / 3
            beat = beat - part + part * (self._swing / third if third > 0.5 else 1.0)
        deviation_s = self._style.looseness_s
        off = self._random.normal(0, deviation_s) if deviation_s else 0.0
        return max(0.0, self._at_s(bar * self._bar + beat) + off)

    def _add(self, at_s: float, sound: Samples, gain: float, pan: float, wet: float) -> None:
        start = round(at_s * RATE_HZ)
        sound = sound[: max(0, len(self._mix) - start)]
        angle = (pan + 1) * np.pi / 4
        for side, share in enumerate((np.cos(angle), np.sin(angle))):
            self._mix[start : start + len(sound), side] += gain * share * sound
            if wet:
                self._wet[start : start + len(sound), side] += gain * share * wet * sound

    def _hits(self, row: str) -> list[tuple[float, float]]:
        """The beats and strengths of a row's strokes."""
        step = self._bar / len(row)
        hits = []
        for number, letter in enumerate(row):
            strength = int(letter) / 9 if letter.isdigit() else 0.0
            if letter == "?" and self._random.random() < 0.35:
                strength = 0.4
            if strength:
                hits.append((number * step, strength * self._random.uniform(0.85, 1.1)))
        return hits

    def _play_drums(self, section: _Section, bar: int) -> None:
        fills = bar % _BARS_A_SECTION == _BARS_A_SECTION - 1 and self._random.random() < 0.7
        kit = zlib.crc32(self._style.name.encode()) + self._piece.number
        for name, row in section.drums.items():
            for beat, strength in self._hits(row):
                if fills and beat >= self._bar - 1 and name not in {"kick", "bell"}:
                    continue
                gain = self._gains["d"] * _DRUM_GAINS.get(name, 0.5) * strength
                variant = kit % 4 + 4 * int(self._random.integers(4))
                pan = (sum(name.encode()) % 7 - 3) / 6 * (name not in {"kick", "snare"})
                self._add(self._time_s(bar, beat), drum(name, variant), gain, pan, 0.12)
        if fills and section.drums:
            for part in range(4):
                at_s = self._time_s(bar, self._bar - 1 + part / 4)
                self._add(at_s, drum("tom", part), self._gains["d"] * 0.6, part / 4 - 0.4, 0.2)

    def _play_bass(self, row: str, bar: int, sounding: Chord, following: Chord) -> None:
        voice = self._player(self._style.basses, "b")
        step = self._bar / len(row)
        for number, letter in enumerate(row):
            if letter in ".-":
                continue
            held = 1
            while number + held < len(row) and row[number + held] == "-":
                held += 1
            note = {
                "R": sounding.root, "F": sounding.root + 7, "O": sounding.root + 12,
                "T": sounding.notes[1] if len(sounding.notes) > 2 else sounding.root,
                "A": following.root + (2 if following.root < sounding.root else -1),
            }[letter]  # fmt: skip
            at_s = self._time_s(bar, number * step)
            length_s = self._at_s(bar * self._bar + (number + held) * step) - at_s
            sound = voice(self._hz(note if note < 9 else note - 12, 2), _length(length_s * 0.95))
            self._add(at_s, sound, self._gains["b"] * 0.5, 0.0, 0.02)

    def _play_comping(self, row: str, bar: int, sounding: Chord) -> None:
        voice = self._player(self._style.compers, "c")
        step = self._bar / len(row)
        for count, (beat, strength) in enumerate(self._hits(row)):
            number = round(beat / step)
            held = 1
            while number + held < len(row) and row[number + held] == "-":
                held += 1
            notes = sounding.notes
            if self._style.arpeggio:
                notes = (notes[(0, 2, 1, -1)[count % 4] % len(notes)] + 12 * (count % 3 == 1),)
            at_s = self._time_s(bar, beat)
            length_s = _length(max(0.12, held * step * 60 / self._piece.tempo_bpm))
            for place, semitones in enumerate(notes):
                # The notes of a chord are some ms apart; close voicing around middle C.
                pitch = semitones - 12 * (semitones > 11) - 12 * (semitones > 16)
                sound = voice(self._hz(pitch, 4), length_s)
                gain = self._gains["c"] * 0.28 * strength / len(notes) ** 0.5
                pan = self._pans["c"] + 0.1 * place
                self._add(at_s + 0.004 * place, sound, gain * 1.4, pan, 0.25)

    def _play_lead(self, bar: int, sounding: Chord, melody: Melody) -> None:
        voice = self._player(self._style.leads, "l")
        last = bar % _BARS_A_SECTION == _BARS_A_SECTION - 1
        rhythms = _RHYTHMS[self._bar]
        beats = (0.0,) if last else rhythms[int(self._random.integers(len(rhythms)))]
        if bar % 4 == 3 and not last and self._random.random() < 0.5:
            return  # a rest at the end of a phrase
        for place, beat in enumerate(beats):
            until = beats[place + 1] if place + 1 < len(beats) else self._bar
            note = melody.note(sounding, strong=beat % 1 == 0, ends=last)
            length_s = (until - beat) * 60 / self._piece.tempo_bpm * 0.9
            sound = voice(self._hz(note, 4), _length(length_s))
            self._add(self._time_s(bar, beat), sound, self._gains["l"] * 0.3, self._pans["l"], 0.3)

    def _player(self, voices: tuple[Voice, ...], part: str) -> Voice:
        """The voice of a part, the same through the whole piece."""
        return voices[(self._piece.number * 7 + ord(part)) % len(voices)]

    def _master(self) -> Samples:
        """The mix with a room, some compression and a little noise, at the level of a record."""
        random = self._random
        decay_s = random.uniform(0.15, 0.6)
        t = np.arange(round(3 * decay_s * RATE_HZ)) / RATE_HZ
        room = random.standard_normal((len(t), 2)) * np.exp(-t / decay_s)[:, None]
        room[: round(0.008 * RATE_HZ)] = 0
        room /= np.sqrt((room**2).sum(axis=0))
        echo = np.stack([fftconvolve(self._wet[:, side], room[:, side]) for side in (0, 1)], axis=1)
        mix = self._mix + echo[: len(self._mix)]
        mix /= max(float(np.sqrt((mix**2).mean())), 1e-9)
        drive = random.uniform(0.1, 0.3)
        mix = np.tanh(mix * drive) * random.uniform(0.5, 0.95)
        mix += random.standard_normal(mix.shape) * 10 ** (-75 / 20)
        ends = round(0.5 * RATE_HZ)
        mix[-ends:] *= np.linspace(1, 0, ends)[:, None]
        return np.asarray(mix)


def _length(length_s: float) -> float:
    """A length rounded to a grid, so that the caches of the voices have hits."""
    return float(max(0.08, round(2 ** (round(np.log2(max(length_s, 0.08)) * 6) / 6), 3)))
