// SPDX-License-Identifier: MIT
#include "nthost/rtl/rtl.h"

enum { DAYS_PER_400_YEARS = 146097, MONTHS = 12 };
static const LONGLONG TicksPerDay = 864000000000, TicksPerHour = 36000000000, TicksPerMinute = 600000000,
                      TicksPerSecond = 10000000, TicksPerMillisecond = 10000;

// Days from 1601-01-01 to the first of March of a year; years that begin in March have their leap day at the
// end.
static LONG RtlpDaysToMarch(LONG Year)
{
    LONG Since = Year - 1600;
    return Since * 365 + Since / 4 - Since / 100 + Since / 400 - 306;
}

static LONG RtlpDaysToDate(LONG Year, LONG Month, LONG Day)
{
    LONG FromMarch = (Month + 9) % MONTHS;
    return RtlpDaysToMarch(Year - (Month < 3)) + (153 * FromMarch + 2) / 5 + Day - 1;
}

VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS Fields)
{
    LONG Days = (LONG)(Time->QuadPart / TicksPerDay);
    LONGLONG Rest = Time->QuadPart % TicksPerDay;
    LONG Year = 1600 + (LONG)((LONGLONG)(Days + 306) * 400 / DAYS_PER_400_YEARS);
    while (RtlpDaysToMarch(Year + 1) <= Days) {
        Year++;
    }
    while (RtlpDaysToMarch(Year) > Days) {
        Year--;
    }
    LONG InYear = Days - RtlpDaysToMarch(Year);
    LONG FromMarch = (5 * InYear + 2) / 153;
    Fields->Day = (CSHORT)(InYear - (153 * FromMarch + 2) / 5 + 1);
    Fields->Month = (CSHORT)(FromMarch < 10 ? FromMarch + 3 : FromMarch - 9);
    Fields->Year = (CSHORT)(Year + (FromMarch >= 10));
    Fields->Hour = (CSHORT)(Rest / TicksPerHour);
    Fields->Minute = (CSHORT)(Rest % TicksPerHour / TicksPerMinute);
    Fields->Second = (CSHORT)(Rest % TicksPerMinute / TicksPerSecond);
    Fields->Milliseconds = (CSHORT)(Rest % TicksPerSecond / TicksPerMillisecond);
    Fields->Weekday = (CSHORT)((Days + 1) % 7); // 1601-01-01 was a Monday
}

BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS Fields, PLARGE_INTEGER Time)
{
    LARGE_INTEGER Result;
    TIME_FIELDS Check;
    if (Fields->Year < 1601 || Fields->Month < 1 || Fields->Month > MONTHS || Fields->Day < 1 ||
        Fields->Hour < 0 || Fields->Hour > 23 || Fields->Minute < 0 || Fields->Minute > 59 ||
        Fields->Second < 0 || Fields->Second > 59 || Fields->Milliseconds < 0 || Fields->Milliseconds > 999) {
        return FALSE;
    }
    Result.QuadPart = RtlpDaysToDate(Fields->Year, Fields->Month, Fields->Day) * TicksPerDay +
                      Fields->Hour * TicksPerHour + Fields->Minute * TicksPerMinute +
                      Fields->Second * TicksPerSecond + Fields->Milliseconds * TicksPerMillisecond;
    RtlTimeToTimeFields(&Result, &Check);
    if (Check.Day != Fields->Day || Check.Month != Fields->Month) {
        return FALSE; // the month is shorter
    }
    *Time = Result;
    return TRUE;
}

// Local time is UTC here.
VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER System, PLARGE_INTEGER Local)
{
    *Local = *System;
}

VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER Local, PLARGE_INTEGER System)
{
    *System = *Local;
}
