"""Files in encodings of all kinds: read right, or refused with the names of the likely encodings."""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops.dataset.form.encoding_evidence import ForeignText
from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings

# four column names and eight towns
TEXTS: Mapping[str, str] = {
    "Russian": "город возраст пол ушёл Москва Казань Пермь Уфа Омск Самара Тула Рязань",
    "Ukrainian": "місто вік стать пішов Київ Львів Одеса Харків Дніпро Суми Рівне Луцьк",
    "Polish": "miasto wiek płeć źródło Łódź Kraków Gdańsk Wrocław Poznań Białystok Rzeszów Częstochowa",
    "Czech": "město věk pohlaví výsledek Plzeň Kroměříž Ústí Zlín Třebíč Děčín Jihlava Příbram",
    "Hungarian": "város életkor nem eredmény Győr Pécs Kőszeg Székesfehérvár Gödöllő Érd Szentendre Makó",
    "Greek": "πόλη ηλικία φύλο αποτέλεσμα Αθήνα Πάτρα Λάρισα Βόλος Ηράκλειο Χανιά Ρόδος Καβάλα",
    "Turkish": "şehir yaş cinsiyet sonuç İzmir Muğla Şanlıurfa Ağrı Eskişehir Aydın Kırşehir Iğdır",
    "Hebrew": "עיר גיל מין תוצאה חיפה ירושלים אשדוד נתניה רמלה אילת טבריה עכו",
    "Arabic": "مدينة عمر جنس نتيجة القاهرة الرياض بغداد دمشق عمان الكويت صنعاء طرابلس",
    "French": "ville âge genre résultat Orléans Besançon Nîmes Béziers Évreux Sète Angoulême Mâcon",
    "German": "Ort Alter Größe Ergebnis München Köln Düsseldorf Nürnberg Würzburg Göttingen Lübeck Görlitz",
    "Spanish": "ciudad años género decisión Málaga Córdoba León Cádiz Almería Jaén Logroño Mérida",
    "Chinese": "城市 年龄 性别 流失 上海 北京 广州 深圳 成都 杭州 武汉 南京",
    "Taiwanese": "城市 年齡 性別 流失 臺北 高雄 臺中 臺南 新竹 嘉義 花蓮 屏東",
    "Japanese": "都市 年齢 性別 結果 東京 大阪 名古屋 さいたま 札幌 福岡 京都 神戸",
    "Thai": "เมือง อายุ เพศ ผลลัพธ์ กรุงเทพ เชียงใหม่ ภูเก็ต ขอนแก่น นครราชสีมา อุดรธานี สงขลา ระยอง",
    "Latvian": "pilsēta vecums dzimums aizgāja Rīga Jūrmala Liepāja Rēzekne Cēsis Kuldīga Ogre Sigulda",
    "Lithuanian": "miestas amžius lytis išvyko Šiauliai Panevėžys Klaipėda Utena Plungė Telšė Biržai Zarasai",
    "Kazakh": "қала жасы жынысы кетті Алматы Көкшетау Қарағанды Өскемен Түркістан Ақтау Қостанай Семей",
    "Maltese": "belt età sess ħareġ Żebbuġ Ħamrun Għaxaq Mġarr Birżebbuġa Żurrieq Ħal Għarb",
    "Korean": "도시 나이 성별 결과 서울 부산 대구 인천 광주 대전 울산 수원",
}
WORDS = {language: tuple(text.split()) for language, text in TEXTS.items()}
ENCODED = [
    ("Russian", "cp1251"), ("Russian", "koi8-r"), ("Russian", "iso-8859-5"), ("Russian", "cp866"),
    ("Ukrainian", "cp1251"), ("Polish", "cp1250"), ("Polish", "iso-8859-2"), ("Czech", "cp1250"),
    ("Hungarian", "cp1250"), ("Greek", "cp1253"), ("Greek", "iso-8859-7"), ("Turkish", "cp1254"),
    ("Turkish", "iso-8859-9"), ("Hebrew", "cp1255"), ("Hebrew", "iso-8859-8"), ("Arabic", "cp1256"),
    ("Arabic", "iso-8859-6"), ("French", "cp1252"), ("French", "iso-8859-15"), ("French", "mac-roman"),
    ("German", "cp1252"), ("German", "mac-roman"), ("Spanish", "cp1252"), ("Spanish", "mac-roman"),
    ("Chinese", "gb18030"), ("Chinese", "gbk"), ("Taiwanese", "big5"), ("Japanese", "shift_jis"),
    ("Japanese", "euc-jp"), ("Japanese", "iso2022_jp"), ("Korean", "euc-kr"), ("Thai", "cp874"),
    ("Russian", "cp855"), ("Greek", "cp737"), ("Greek", "mac-greek"), ("Hebrew", "cp862"),
    ("Arabic", "cp720"), ("Polish", "mac-latin2"), ("Czech", "mac-latin2"), ("Turkish", "cp857"),
    ("Turkish", "mac-turkish"), ("Latvian", "cp1257"), ("Maltese", "iso-8859-3"),
    ("Korean", "johab"), ("Korean", "iso2022_kr"), ("Chinese", "hz"),
]  # fmt: skip
UNSURE = [
    ("Czech", "iso-8859-2"),
    ("French", "cp850"),
    ("Kazakh", "kz1048"),
    ("Latvian", "iso-8859-4"),
    ("Lithuanian", "cp775"),
]
N_ROWS = 80


def table(language: str) -> str:
    words = WORDS[language]
    lines = [",".join(words[:4])]
    lines += [
        f"{words[4 + i * 5 % 8]},{20 + i * 37 % 60},{'fm'[i % 2]},{i * i % 7 % 2}" for i in range(N_ROWS)
    ]
    return "\n".join(lines) + "\n"


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("language", "encoding"), ENCODED)
def test_text_in_a_clear_encoding_is_read_right_and_the_encoding_is_named(
    tmp_path: Path, language: str, encoding: str
) -> None:
    path = written(tmp_path, table(language).encode(encoding))
    report = validate(path)
    [remark] = [finding for finding in report.findings if finding.rule_id == "encoding"]
    assert remark.severity == "warn"
    frame = read_table(path)
    assert tuple(frame.columns) == WORDS[language][:4]
    assert set(frame.iloc[:, 0]) == set(WORDS[language][4:])


@pytest.mark.parametrize(("language", "encoding"), UNSURE)
def test_text_in_an_unclear_encoding_is_refused_and_the_right_line_is_offered(
    tmp_path: Path, language: str, encoding: str
) -> None:
    path = written(tmp_path, table(language).encode(encoding))
    [refusal] = validate(path).of_severity("reject")
    assert "not certain" in refusal.message
    lines = str(refusal.accept_with)
    assert f'"{encoding}"' in lines
    assert validate(path, GroupSettings.from_toml(lines)).verdict != "reject"
    stated = GroupSettings.from_config({"format": {"encoding": encoding}})
    assert tuple(read_table(path, settings=stated).columns) == WORDS[language][:4]


@pytest.mark.parametrize("language", WORDS)
def test_a_damaged_byte_makes_no_other_encoding_of_utf8(tmp_path: Path, language: str) -> None:
    content = table(language).encode()
    place = content.rindex(WORDS[language][4][:1].encode() if language != "German" else "ü".encode())
    damaged = content[:place] + b"\xff" + content[place + 1 :]
    [refusal] = validate(written(tmp_path, damaged)).of_severity("reject")
    assert refusal.rule_id == "encoding"
    assert refusal.lines == (content[:place].count(b"\n") + 1,)
    assert "UTF-8, while other lines are" in refusal.message


@pytest.mark.parametrize("text", ["Crohn’s disease", "25 °C", "5 µg", "12 m²", "£ 5", "São Paulo", "“so”"])
def test_a_few_characters_of_windows_are_read_as_before(tmp_path: Path, text: str) -> None:
    content = table("French").encode("ascii", "ignore").decode().replace("Orlans", text)
    path = written(tmp_path, content.encode("cp1252"))
    assert "Windows-1252" in next(f.message for f in validate(path).findings if f.rule_id == "encoding")
    assert text in set(read_table(path).iloc[:, 0])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("oraș vârstă județ plecat Brașov Iași Timișoara Constanța Galați Reșița", "mac-romanian")],
)
def test_a_seldom_encoding_with_little_evidence_is_asked_about(
    tmp_path: Path, text: str, encoding: str
) -> None:
    words = text.split()
    rows = "".join(f"{words[4 + i % 6]},{i % 60},{'fm'[i % 2]},{i % 7 % 2}\n" for i in range(N_ROWS))
    content = (",".join(words[:4]) + "\n" + rows).encode(encoding)
    [refusal] = validate(written(tmp_path, content)).of_severity("reject")
    assert "not certain" in refusal.message


def test_the_encoding_of_a_compressed_file_is_found_too(tmp_path: Path) -> None:
    path = tmp_path / "file.csv.gz"
    path.write_bytes(gzip.compress(table("Russian").encode("koi8-r")))
    assert tuple(read_table(path).columns) == WORDS["Russian"][:4]


def test_characters_far_down_are_evidence_too(tmp_path: Path) -> None:
    ascii_rows = "".join(f"town {i % 50},{i % 90},f,{i % 2}\n" for i in range(100_000))
    content = "town,age,sex,left\n" + ascii_rows + table("Greek").split("\n", 1)[1]
    path = written(tmp_path, content.encode("cp1253"))
    assert set(WORDS["Greek"][4:]) <= set(read_table(path)["town"])


def test_offered_lines_are_valid_toml(tmp_path: Path) -> None:
    [refusal] = validate(written(tmp_path, table("Czech").encode("iso-8859-2"))).of_severity("reject")
    assert set(tomllib.loads(str(refusal.accept_with))["format"]) == {"encoding"}


def test_of_foreign_words_at_most_twenty_letters_before_the_first_foreign_one_are_kept():
    text = ForeignText()
    text.add(f'"{"a" * 30}\xe9t\xe9";plain,\xfcber 12;\xfcber7\t\xfcber8\n'.encode("cp1252"))
    assert [*text._pieces.values()] == [b"a" * 20 + b"\xe9t\xe9", b"\xfcber"]
