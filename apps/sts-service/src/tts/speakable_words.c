/* SPDX-License-Identifier: Apache-2.0 */
#include "speakable_words.h"

#include <string.h>

/* Only what voices read badly by themselves: that is what was listened to. */

static const DubSpokenWord english[] = {
    {"NBA", "N B A"},
    {"NFL", "N F L"},
    {"MLB", "M L B"},
    {"NHL", "N H L"},
    {"NCAA", "N C A A"},
    {"MVP", "M V P"},
    {"USA", "U S A"},
    {"UK", "U K"},
    {"CPU", "C P U"},
    {"GPU", "G P U"},
    {"AI", "A I"},
    {"API", "A P I"},
    {"MBA", "M B A"},
    {"PhD", "P H D"},
    {"MD", "M D"},
    {"Dr.", "Doctor"},
    {"Mr.", "Mister"},
    {"Mrs.", "Missus"},
    {"Ms.", "Miss"},
    {"Prof.", "Professor"},
    {"Jr.", "Junior"},
    {"Sr.", "Senior"},
    {"vs.", "versus"},
    {"vs", "versus"},
    {NULL, NULL},
};

static const DubSpokenWord spanish[] = {
    {"Sr.", "señor"},
    {"Sra.", "señora"},
    {"Srta.", "señorita"},
    {"Dr.", "doctor"},
    {"Dra.", "doctora"},
    {"Prof.", "profesor"},
    {"Ud.", "usted"},
    {"Uds.", "ustedes"},
    {"EE. UU.", "Estados Unidos"},
    {"EE.UU.", "Estados Unidos"},
    {"EEUU", "Estados Unidos"},
    {NULL, NULL},
};

static const DubSpokenWord french[] = {
    {"Mme", "madame"},
    {"Mlle", "mademoiselle"},
    {"Dr", "docteur"},
    {"Dr.", "docteur"},
    {NULL, NULL},
};

static const DubSpokenWord german[] = {
    {"Dr.", "Doktor"},
    {"Prof.", "Professor"},
    {"z. B.", "zum Beispiel"},
    {"z.B.", "zum Beispiel"},
    {"usw.", "und so weiter"},
    {"bzw.", "beziehungsweise"},
    {NULL, NULL},
};

static const DubSpokenWord italian[] = {
    {"Sig.", "signor"},
    {"Sig.ra", "signora"},
    {"Dott.", "dottor"},
    {"Dott.ssa", "dottoressa"},
    {"Prof.", "professor"},
    {NULL, NULL},
};

static const DubSpokenWord portuguese[] = {
    {"Sr.", "senhor"},
    {"Sra.", "senhora"},
    {"Dr.", "doutor"},
    {"Dra.", "doutora"},
    {"Prof.", "professor"},
    {"EUA", "Estados Unidos"},
    {NULL, NULL},
};

/* The longer of two that begin alike comes first. */
static const DubSpokenUnit english_units[] = {
    {"km/h", "kilometre per hour", "kilometres per hour", FALSE},
    {"mph", "mile per hour", "miles per hour", FALSE},
    {"kg", "kilogram", "kilograms", FALSE},
    {"km", "kilometre", "kilometres", FALSE},
    {"cm", "centimetre", "centimetres", FALSE},
    {"mm", "millimetre", "millimetres", FALSE},
    {"°C", "degree Celsius", "degrees Celsius", FALSE},
    {"°F", "degree Fahrenheit", "degrees Fahrenheit", FALSE},
    {"$", "dollar", "dollars", TRUE},
    {"£", "pound", "pounds", TRUE},
    {"€", "euro", "euros", TRUE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenUnit spanish_units[] = {
    {"km/h", "kilómetro por hora", "kilómetros por hora", FALSE},
    {"km", "kilómetro", "kilómetros", FALSE},
    {"cm", "centímetro", "centímetros", FALSE},
    {"mm", "milímetro", "milímetros", FALSE},
    {"°C", "grado", "grados", FALSE},
    {"$", "dólar", "dólares", FALSE},
    {"$", "dólar", "dólares", TRUE},
    {"£", "libra", "libras", TRUE},
    {"€", "euro", "euros", TRUE},
    {"€", "euro", "euros", FALSE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenUnit french_units[] = {
    {"km/h", "kilomètre heure", "kilomètres heure", FALSE},
    {"cm", "centimètre", "centimètres", FALSE},
    {"mm", "millimètre", "millimètres", FALSE},
    {"°C", "degré", "degrés", FALSE},
    {"$", "dollar", "dollars", FALSE},
    {"$", "dollar", "dollars", TRUE},
    {"£", "livre", "livres", TRUE},
    {"€", "euro", "euros", TRUE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenUnit german_units[] = {
    {"km/h", "Kilometer pro Stunde", "Kilometer pro Stunde", FALSE},
    {"kg", "Kilogramm", "Kilogramm", FALSE},
    {"km", "Kilometer", "Kilometer", FALSE},
    {"cm", "Zentimeter", "Zentimeter", FALSE},
    {"mm", "Millimeter", "Millimeter", FALSE},
    {"°C", "Grad", "Grad", FALSE},
    {"$", "Dollar", "Dollar", TRUE},
    {"£", "Pfund", "Pfund", TRUE},
    {"€", "Euro", "Euro", TRUE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenUnit italian_units[] = {
    {"km/h", "chilometro orario", "chilometri orari", FALSE},
    {"kg", "chilo", "chili", FALSE},
    {"km", "chilometro", "chilometri", FALSE},
    {"cm", "centimetro", "centimetri", FALSE},
    {"mm", "millimetro", "millimetri", FALSE},
    {"°C", "grado", "gradi", FALSE},
    {"$", "dollaro", "dollari", TRUE},
    {"£", "sterlina", "sterline", TRUE},
    {"€", "euro", "euro", TRUE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenUnit portuguese_units[] = {
    {"km/h", "quilómetro por hora", "quilómetros por hora", FALSE},
    {"kg", "quilo", "quilos", FALSE},
    {"km", "quilómetro", "quilómetros", FALSE},
    {"cm", "centímetro", "centímetros", FALSE},
    {"mm", "milímetro", "milímetros", FALSE},
    {"°C", "grau", "graus", FALSE},
    {"R$", "real", "reais", TRUE},
    {"$", "dólar", "dólares", TRUE},
    {"£", "libra", "libras", TRUE},
    {"€", "euro", "euros", TRUE},
    {NULL, NULL, NULL, FALSE},
};

static const DubSpokenLanguage languages[] = {
    {"en", english, english_units, "to", "to"},
    {"es", spanish, spanish_units, "a", "a"},
    {"fr", french, french_units, "à", "à"},
    {"de", german, german_units, "zu", "bis"},
    {"it", italian, italian_units, "a", "al"},
    {"pt", portuguese, portuguese_units, "a", "a"},
};

const DubSpokenLanguage *
dub_spoken_language (const char *tag)
{
  static const DubSpokenLanguage none = {"", NULL, NULL, NULL, NULL};
  gsize length = strcspn (tag, "-_");

  for (guint i = 0; i < G_N_ELEMENTS (languages); i++)
    if (length == strlen (languages[i].language) &&
        g_ascii_strncasecmp (tag, languages[i].language, length) == 0)
      return &languages[i];
  return &none;
}
