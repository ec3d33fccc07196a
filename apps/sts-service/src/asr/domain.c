/* SPDX-License-Identifier: Apache-2.0 */
#include "domain.h"

#include <string.h>

typedef struct {
  const char *domain, *language, *text;
} Prompt;

static const Prompt prompts[] = {
    {"sports", "en",
        "Live sports commentary: the kick-off, a corner, a foul, the referee, "
        "half-time, overtime, a penalty, the final score, the championship."},
    {"sports", "es",
        "Retransmisión deportiva: el saque inicial, un córner, una falta, el "
        "árbitro, el descanso, la prórroga, un penalti, el resultado final."},
    {"sports", "de",
        "Sportübertragung: der Anstoß, eine Ecke, ein Foul, der "
        "Schiedsrichter, die Halbzeit, die Verlängerung, der Endstand."},
    {"sports", "fr",
        "Commentaire sportif : le coup d'envoi, un corner, une faute, "
        "l'arbitre, la mi-temps, les prolongations, le score final."},
    {"football", "en",
        "American football: first and ten, the quarterback, the snap, a "
        "touchdown, a field goal, the end zone, third down, an interception."},
    {"basketball", "en",
        "Basketball: the tip-off, a three-pointer, a rebound, free throws, "
        "the paint, an assist, the shot clock, a buzzer-beater."},
    {"news", "en",
        "News broadcast: the prime minister, the parliament, the economy, "
        "inflation, our correspondent reports, the weather forecast."},
    {"news", "es",
        "Informativo: el presidente del Gobierno, el Congreso, la economía, "
        "la inflación, informa nuestro corresponsal, el tiempo."},
    {"news", "de",
        "Nachrichten: der Bundeskanzler, der Bundestag, die Wirtschaft, die "
        "Inflation, unser Korrespondent berichtet, das Wetter."},
    {"news", "fr",
        "Journal télévisé : le Premier ministre, l'Assemblée nationale, "
        "l'économie, l'inflation, notre correspondant, la météo."},
    {"interview", "en",
        "An interview: thank you for joining us. How did it begin? Well, to "
        "be honest, I think that was the moment when everything changed."},
};

const char *
dub_domain_prompt (const char *domain, const char *language)
{
  gsize length = strcspn (language, "-_");

  if (domain == NULL)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (prompts); i++)
    if (g_ascii_strcasecmp (domain, prompts[i].domain) == 0 &&
        length == strlen (prompts[i].language) &&
        g_ascii_strncasecmp (language, prompts[i].language, length) == 0)
      return prompts[i].text;
  return NULL;
}
